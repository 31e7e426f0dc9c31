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

    @Test(arguments: [
        (0.0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1_764_044_121.25, "2025-11-25T04:15:21.250Z", "Tue, 25 Nov 2025 04:15:21 GMT"),
        (1_709_251_199.5, "2024-02-29T23:59:59.500Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
        (253_402_300_799.0, "9999-12-31T23:59:59.000Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func `a time is written as logs and as HTTP have it`(
        seconds: Double, iso8601: String, httpDate: String
    ) {
        let time = CalendarTime(Timestamp(seconds: seconds))
        #expect(time.iso8601 == iso8601)
        #expect(time.httpDate == httpDate)
    }
}
