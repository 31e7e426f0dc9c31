import GatehouseBase
import Synchronization

/// Remembers what may happen once only, for a while and up to a number.
final class SeenOnce: Sendable {
    enum Outcome: Sendable, Equatable {
        case first
        case again
        /// There is no room to remember it: it must not happen.
        case full
    }

    private struct State {
        var until: [[UInt8]: Instant] = [:]
        var nextSweep = Instant(nanoseconds: 0)
    }

    private let capacity: Int
    private let state = Locked(State())

    init(capacity: Int) { self.capacity = capacity }

    /// Notes `key`, unless it was noted before.
    func note(_ key: [UInt8], until: Instant, now: Instant) -> Outcome {
        state.withLock { state in
            if let old = state.until[key], now < old { return .again }
            if state.until.count >= capacity, now >= state.nextSweep {
                state.until = state.until.filter { now < $0.value }
                // Not at every call while it is full of what is still good.
                state.nextSweep = now + .seconds(1)
            }
            guard state.until.count < capacity else { return .full }
            state.until[key] = until
            return .first
        }
    }

    var count: Int { state.withLock { $0.until.count } }
}
