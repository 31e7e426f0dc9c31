import Glibc

/// A point on the monotonic clock, in nanoseconds since an arbitrary start.
public struct Instant: Sendable, Hashable, Comparable {
    public var nanoseconds: UInt64

    @inlinable
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Later than everything; the deadline of what has none.
    public static let never = Instant(nanoseconds: .max)

    /// Reads CLOCK_MONOTONIC.
    public static func now() -> Instant {
        var time = timespec()
        // Sound: the kernel fills the structure.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Saturates at ``never``.
    @inlinable
    public static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(
            UInt64(clamping: duration.nanoseconds))
        return overflow ? .never : Instant(nanoseconds: sum)
    }

    /// The time from `earlier` to this; zero where `earlier` is later.
    @inlinable
    public func since(_ earlier: Instant) -> Duration {
        guard self > earlier else { return .zero }
        return .nanoseconds(Int64(clamping: nanoseconds - earlier.nanoseconds))
    }
}
