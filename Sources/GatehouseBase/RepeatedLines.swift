import Synchronization

/// Bounds lines of a log that others could repeat without end: of each kind one is written in a
/// while, and it says how many were left out since the one before.
public final class RepeatedLines: Sendable {
    private struct Kind {
        var quietUntil: Instant
        var leftOut = 0
    }

    private struct State {
        var kinds: [String: Kind] = [:]
        var nextSweep = Instant(nanoseconds: 0)
    }

    /// Kinds beyond which all others count as one.
    private let capacity: Int
    private let interval: Duration
    private let state = Locked(State())

    public init(every interval: Duration = .seconds(60), capacity: Int = 1024) {
        self.interval = interval
        self.capacity = capacity
    }

    /// Asks for a line of this kind.
    /// - Returns: nil where it is to be left out, else the number of those left out before it.
    public func leftOut(before kind: String, now: Instant) -> Int? {
        state.withLock { state in
            if state.kinds.count >= capacity, now >= state.nextSweep {
                state.kinds = state.kinds.filter { now < $0.value.quietUntil }
                // Not at every call while it is full of what is still quiet.
                state.nextSweep = now + .seconds(1)
            }
            let isKnown = state.kinds[kind] != nil || state.kinds.count < capacity
            let name = isKnown ? kind : ""
            if let known = state.kinds[name], now < known.quietUntil {
                state.kinds[name]?.leftOut += 1
                return nil
            }
            let count = state.kinds[name]?.leftOut ?? 0
            state.kinds[name] = Kind(quietUntil: now + interval)
            return count
        }
    }

    /// Kinds that are remembered.
    var count: Int { state.withLock { $0.kinds.count } }
}
