import GatehouseBase
import Testing

@testable import GatehouseKit

struct SampledDurationsTests {
    @Test func `one in sixteen is measured, the first among them, and all are counted`() {
        var durations = SampledDurations()
        var measured: [Int] = []
        for index in 0..<40 where durations.begin() != nil { measured.append(index) }
        #expect(measured == [0, 16, 32])
        #expect(durations.count == 40)
    }

    @Test func `the sum stands for all, and never gets less`() {
        var durations = SampledDurations()
        durations.note(500)
        #expect(durations.nanoseconds == 500)
        durations.note(100)
        #expect(durations.nanoseconds == 500 + 16 * 100)
    }

    @Test func `a quantile is right to a sixteenth`() {
        var durations = SampledDurations()
        for value in 1...10_000 { durations.note(UInt64(value)) }
        for share in [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999] {
            let exact = share * 10_000
            #expect(abs(durations.quantile(share) - exact) <= exact / 16 + 1, "\(share)")
        }
    }

    @Test func `none, nothing and for ever are no trouble`() {
        var durations = SampledDurations()
        #expect(durations.quantile(0.5) == 0)
        durations.note(0)
        #expect(durations.quantile(0.5) == 0)
        durations.note(.max)
        #expect(durations.quantile(0.999) > 100e9)
    }

    @Test func `two add up`() {
        var (one, other) = (SampledDurations(), SampledDurations())
        for _ in 0..<3 { one.note(1000) }
        other.note(1_000_000)
        _ = other.begin()
        one.add(other)
        #expect(one.count == 1)
        #expect(one.nanoseconds == 1000 + 32_000 + 1_000_000)
        #expect(one.quantile(0.5) < 1100)
        #expect(one.quantile(0.999) > 900_000)
    }
}
