import GatehouseBase

/// How long something short takes that happens all the time. Reading the clock twice costs as much
/// as the thing itself: one in 16 is measured, the first of all among them, and its duration is
/// added to the sum as often as there were others since. Nothing here ever gets less.
struct SampledDurations: Sendable, Equatable {
    /// What quantiles are made of: eight buckets for each doubling, so that a quantile is right to a
    /// sixteenth.
    private static let bucketCount = 280
    private static let longest: UInt64 = (1 << 37) - 1

    private var buckets = [Int](repeating: 0, count: bucketCount)
    private var measured = 0
    /// How often it happened.
    private(set) var count = 0
    private(set) var nanoseconds = 0

    /// Counts one.
    /// - Returns: when it began, for ``end(_:)``; nil where it is not measured.
    @inline(__always)
    mutating func begin() -> Instant? {
        count &+= 1
        return count & 15 == 1 ? .now() : nil
    }

    /// It is over.
    @inline(__always)
    mutating func end(_ began: Instant?) {
        guard let began else { return }
        note(Instant.now().nanoseconds &- began.nanoseconds)
    }

    /// Takes a measured duration in.
    mutating func note(_ duration: UInt64) {
        buckets[SampledDurations.bucket(of: duration)] += 1
        nanoseconds &+= Int(clamping: duration) &* (measured == 0 ? 1 : 16)
        measured += 1
    }

    mutating func add(_ other: SampledDurations) {
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        measured += other.measured
        count &+= other.count
        nanoseconds &+= other.nanoseconds
    }

    /// The duration, in nanoseconds, that this share of those measured does not exceed; 0 of none.
    func quantile(_ share: Double) -> Double {
        guard measured > 0 else { return 0 }
        var left = max(1, Int((share * Double(measured)).rounded(.up)))
        for (index, count) in buckets.enumerated() {
            left -= count
            if left <= 0 { return SampledDurations.middle(of: index) }
        }
        return 0
    }

    private static func bucket(of duration: UInt64) -> Int {
        let bounded = min(duration, longest)
        guard bounded >= 8 else { return Int(bounded) }
        let power = 63 - bounded.leadingZeroBitCount
        return (power - 2) << 3 + Int(truncatingIfNeeded: bounded >> UInt64(power - 3) & 7)
    }

    private static func middle(of bucket: Int) -> Double {
        guard bucket >= 8 else { return Double(bucket) }
        let width = Double(1 << (bucket >> 3 - 1))
        return (Double(8 + bucket & 7) + 0.5) * width
    }
}
