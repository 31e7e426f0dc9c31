import GatehouseBase
import Synchronization

/// Counts what a peer does in one second.
final class PeerRate: Sendable {
    private struct State {
        var second: UInt64 = 0
        var counts: [String: Int] = [:]
    }

    /// Peers of one second beyond which all others count as one.
    private static let peers = 4096

    private let perSecond: Int
    private let state = Locked(State())

    init(perSecond: Int) { self.perSecond = perSecond }

    /// Whether `peer` has used up this second.
    func isExceeded(_ peer: String, now: Instant) -> Bool {
        state.withLock { state in
            PeerRate.turn(&state, now)
            return state.counts[PeerRate.name(peer, state), default: 0] >= perSecond
        }
    }

    /// One more.
    func note(_ peer: String, now: Instant) {
        state.withLock { state in
            PeerRate.turn(&state, now)
            state.counts[PeerRate.name(peer, state), default: 0] += 1
        }
    }

    private static func turn(_ state: inout State, _ now: Instant) {
        let second = now.nanoseconds / 1_000_000_000
        if second != state.second {
            state.second = second
            state.counts.removeAll(keepingCapacity: true)
        }
    }

    private static func name(_ peer: String, _ state: State) -> String {
        state.counts[peer] != nil || state.counts.count < peers ? peer : ""
    }
}
