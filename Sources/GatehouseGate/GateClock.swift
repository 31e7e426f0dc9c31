public import GatehouseBase

/// What time it is; tests hand in their own.
public struct GateClock: Sendable {
    /// Monotonic, for limits.
    public let instant: @Sendable () -> Instant
    /// The wall clock, for what tokens say.
    public let timestamp: @Sendable () -> Timestamp

    public init(
        instant: @escaping @Sendable () -> Instant, timestamp: @escaping @Sendable () -> Timestamp
    ) {
        self.instant = instant
        self.timestamp = timestamp
    }

    /// The system's clocks.
    public static let system = GateClock(
        instant: { Instant.now() }, timestamp: { Timestamp.now() })
}
