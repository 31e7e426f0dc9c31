import GatehouseConfiguration
import GatehouseNet
import GatehouseProxy

/// What a serving loop says of itself when asked.
struct LoopReport: Sendable {
    let values: CounterValues
    let connections: [ListenerSettings.Role: Int]
    let upstreamConnections: Int
    let idleUpstreamConnections: Int
    let upstreamOpened: Int
    let upstreamReused: Int
    let slowPasses: Int
    let isTableComplete: Bool
}

extension LoopState {
    /// As things are now; counting takes microseconds.
    var report: LoopReport {
        LoopReport(
            values: counters.values, connections: listeners.connections,
            upstreamConnections: pool.connectionCount, idleUpstreamConnections: pool.idleCount,
            upstreamOpened: pool.openedCount, upstreamReused: pool.reusedCount,
            slowPasses: core.slowPasses, isTableComplete: isTableComplete)
    }
}
