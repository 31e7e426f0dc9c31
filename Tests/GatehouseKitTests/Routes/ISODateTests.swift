import GatehouseBase
import Testing

@testable import GatehouseKit

struct ISODateTests {
    @Test(arguments: [
        ("1970", 0), ("2000-03-01", 951_868_800), ("2026-11-27T05:10:44Z", 1_795_756_244),
        ("2026-11", 1_793_491_200), ("2024-02-29t23:59:59z", 1_709_251_199),
        ("2026-11-27 05:10", 1_795_756_200), ("2026-11-27T05:10:44.5", 1_795_756_244.5),
        ("2026-11-27T05:10:44+01:00", 1_795_752_644), ("2026-11-27T05:10:44-0130", 1_795_761_644),
        ("1969-12-31T24:00", 0),
    ])
    func `a date is read, whole or cut at the end`(text: String, seconds: Double) {
        #expect(ISODate.parse(text)?.seconds == seconds)
    }

    @Test(arguments: [
        "", "soon", "26", "2026-", "2026-13", "2026-00", "2026-01-32", "2026-01-00", "2026-1-1",
        "2026-01-01T", "2026-01-01T25:00", "2026-01-01T10", "2026-01-01T10:60",
        "2026-01-01T10:00:60",
        "2026-01-01T10:00:00.", "2026-01-01T10:00:00+24:00", "2026-01-01T10:00:00 Z", "2026-01-01x",
        "２０２６",
    ])
    func `what is no date is none`(text: String) {
        #expect(ISODate.parse(text) == nil)
    }
}
