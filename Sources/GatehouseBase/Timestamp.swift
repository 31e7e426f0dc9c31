import Glibc

/// A point on the wall clock, in seconds since 1970 with fractions.
public struct Timestamp: Sendable, Hashable, Comparable {
    public var seconds: Double

    public init(seconds: Double) { self.seconds = seconds }

    public init(milliseconds: Int64) { seconds = Double(milliseconds) / 1000 }

    /// Whole milliseconds, rounded down.
    public var milliseconds: Int64 { Int64(seconds * 1000) }

    /// Reads CLOCK_REALTIME.
    public static func now() -> Timestamp {
        var time = timespec()
        // Sound: the kernel fills the structure.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.seconds < right.seconds
    }

    public static func + (timestamp: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(seconds: timestamp.seconds + Double(duration.nanoseconds) / 1e9)
    }

    public static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        .nanoseconds(Int64(((later.seconds - earlier.seconds) * 1e9).rounded()))
    }
}
