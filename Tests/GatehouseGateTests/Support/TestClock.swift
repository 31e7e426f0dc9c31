import GatehouseBase
import GatehouseGate
import Synchronization

/// A clock that stands still until it is moved.
final class TestClock: Sendable {
    private let elapsed = Locked(Duration.zero)

    /// Both clocks go on by `duration`.
    func advance(by duration: Duration) { elapsed.withLock { $0 += duration } }

    var instant: Instant { Instant(nanoseconds: 1_000_000_000_000) + elapsed.withLock { $0 } }

    var timestamp: Timestamp {
        Timestamp(seconds: 1_800_000_000) + elapsed.withLock { $0 }
    }

    var gateClock: GateClock {
        GateClock(instant: { self.instant }, timestamp: { self.timestamp })
    }
}
