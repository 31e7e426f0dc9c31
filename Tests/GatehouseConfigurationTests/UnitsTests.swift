import Testing

@testable import GatehouseConfiguration

struct UnitsTests {
    @Test(arguments: [
        ("1ms", Duration.milliseconds(1)), ("250ms", .milliseconds(250)),
        ("5s", .seconds(5)), ("5 s", .seconds(5)), ("15m", .seconds(900)),
        ("12h", .seconds(43200)), ("7d", .seconds(604_800)), ("0s", .zero),
        ("3650d", .seconds(315_360_000)),
    ])
    func `a duration is a whole number and a unit`(_ text: String, _ duration: Duration) throws {
        #expect(try Units.duration(text) == duration)
    }

    @Test(arguments: [
        ("5", "write '5s'"), ("5min", "write '5m'"), ("5sec", "write '5s'"),
        ("2hours", "write '2h'"), ("3days", "write '3d'"),
        ("1.5h", "such as '250ms', '5s' or '12h'"),
        ("1h30m", "such as '250ms', '5s' or '12h'"), ("-5s", "such as '5s'"), ("s", "such as '5s'"),
        ("", "such as '5s'"), ("٥s", "such as '5s'"), ("3651d", "at most '3650d'"),
        ("99999999999999999999s", "at most '3650d'"), ("9223372036854775807d", "at most '3650d'"),
        ("5S", "such as '250ms', '5s' or '12h'"), ("5M", "such as '250ms', '5s' or '12h'"),
    ])
    func `a duration that is none comes with a remedy`(_ text: String, _ hint: String) {
        let error = #expect(throws: Units.ReadError.self) { try Units.duration(text) }
        #expect(error?.hint == hint)
    }

    @Test(arguments: [
        ("1 B", 1), ("240B", 240), ("32kB", 32000), ("8 KiB", 8192), ("2 MB", 2_000_000),
        ("1 MiB", 1_048_576), ("1GB", 1_000_000_000), ("3 GiB", 3_221_225_472),
    ])
    func `a size is a whole number and a unit`(_ text: String, _ size: Int) throws {
        #expect(try Units.size(text) == size)
    }

    @Test(arguments: [
        ("8192", "write '8192 B'"),
        ("8K", "write '8 KiB' for 1,024 bytes each, '8 kB' for 1,000"),
        ("8KB", "write '8 KiB' for 1,024 bytes each, '8 kB' for 1,000"),
        ("1m", "write '1 MiB' or '1 MB'"), ("1Gib", "write '1 GiB' or '1 GB'"),
        ("10 bytes", "write '10 B'"), ("1.5 MiB", "such as '8 KiB'"), ("KiB", "such as '8 KiB'"),
        ("-1 B", "such as '8 KiB'"), ("1025 GiB", "at most '1024 GiB'"),
        ("9223372036854775807 GiB", "at most '1024 GiB'"),
    ])
    func `a size that is none comes with a remedy`(_ text: String, _ hint: String) {
        let error = #expect(throws: Units.ReadError.self) { try Units.size(text) }
        #expect(error?.hint == hint)
    }

    @Test(arguments: [
        "1ms", "500ms", "60s", "90s", "15m", "60m", "2h", "12h", "24h", "2d", "30d", "1500ms",
    ])
    func `durations are written as people say them and read back`(_ text: String) throws {
        #expect(Units.text(try Units.duration(text)) == text)
    }

    @Test(arguments: ["1 B", "240 B", "1500 B", "8 KiB", "1 MiB", "3 GiB"])
    func `sizes are written in the largest unit that fits and read back`(_ text: String) throws {
        #expect(Units.text(try Units.size(text)) == text)
    }
}
