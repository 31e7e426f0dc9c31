import Testing

@testable import GatehouseBase

struct RepeatedLinesTests {
    private func at(_ seconds: Int) -> Instant {
        Instant(nanoseconds: 5_000_000_000) + .seconds(seconds)
    }

    @Test func `of each kind one line is written a minute, with the number of those left out`() {
        let lines = RepeatedLines()
        #expect(lines.leftOut(before: "a", now: at(0)) == 0)
        for second in 0..<60 { #expect(lines.leftOut(before: "a", now: at(second)) == nil) }
        #expect(lines.leftOut(before: "b", now: at(59)) == 0)
        #expect(lines.leftOut(before: "a", now: at(60)) == 60)
        #expect(lines.leftOut(before: "a", now: at(61)) == nil)
        #expect(lines.leftOut(before: "a", now: at(120)) == 1)
        #expect(lines.leftOut(before: "a", now: at(180)) == 0)
    }

    @Test func `there are no more kinds than a number, and all others are one`() {
        let lines = RepeatedLines(capacity: 10)
        let written = (0..<1000).filter { lines.leftOut(before: "k\($0)", now: at(0)) != nil }
        #expect(written.count == 11)
        #expect(lines.count == 11)
        #expect(lines.leftOut(before: "k3", now: at(1)) == nil)
        // What has been quiet for long makes room.
        #expect(lines.leftOut(before: "new", now: at(60)) == 0)
        #expect(lines.leftOut(before: "new", now: at(61)) == nil)
        #expect(lines.count < 10)
    }
}
