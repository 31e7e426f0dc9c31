import GatehouseBase

/// Durations in buckets with fixed bounds.
struct DurationHistogram: Sendable, Equatable {
    /// Upper bounds, included, as they are shown and in nanoseconds; above the last there is one more bucket.
    static let bounds: [(text: String, nanoseconds: UInt64)] = [
        ("0.001", 1_000_000), ("0.0025", 2_500_000), ("0.005", 5_000_000), ("0.01", 10_000_000),
        ("0.025", 25_000_000), ("0.05", 50_000_000), ("0.1", 100_000_000),
        ("0.25", 250_000_000), ("0.5", 500_000_000), ("1", 1_000_000_000),
        ("2.5", 2_500_000_000), ("5", 5_000_000_000), ("10", 10_000_000_000),
        ("30", 30_000_000_000), ("60", 60_000_000_000), ("300", 300_000_000_000),
    ]
    private static let limits = bounds.map(\.nanoseconds)

    /// By bucket, not summed up.
    private(set) var counts = [Int](repeating: 0, count: limits.count + 1)
    private(set) var nanoseconds = 0

    /// How many there were.
    var count: Int { counts.reduce(0, +) }

    mutating func add(_ duration: UInt64) {
        let limits = DurationHistogram.limits
        var index = 0
        while index < limits.count, duration > limits[index] { index += 1 }
        counts[index] += 1
        nanoseconds &+= Int(clamping: duration)
    }

    mutating func add(_ other: DurationHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        nanoseconds &+= other.nanoseconds
    }
}
