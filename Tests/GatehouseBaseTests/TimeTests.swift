import GatehouseBase
import Testing

struct TimeTests {
    private static let durations: [(Duration, Int64)] = [
        (.zero, 0), (.nanoseconds(1), 1), (.seconds(1), 1_000_000_000),
        (.milliseconds(-1), -1_000_000), (.seconds(20), 20_000_000_000),
        (.seconds(9_223_372_036), 9_223_372_036_000_000_000), (.seconds(Int64.max), Int64.max),
        (.seconds(Int64.min), Int64.min),
        (Duration(secondsComponent: 1, attosecondsComponent: 999_999_999), 1_000_000_000),
    ]

    @Test(arguments: durations)
    func `a duration is told in whole nanoseconds`(duration: Duration, nanoseconds: Int64) {
        #expect(duration.nanoseconds == nanoseconds)
    }

    @Test func `a deadline too far away is never`() {
        #expect(Instant(nanoseconds: .max - 5) + .nanoseconds(6) == .never)
        #expect(Instant(nanoseconds: 7) + .seconds(-1) == Instant(nanoseconds: 7))
        #expect(Instant(nanoseconds: 3).since(Instant(nanoseconds: 9)) == .zero)
    }
}
