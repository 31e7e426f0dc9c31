import Testing

@testable import GatehouseProxy

struct RouteHashTests {
    private func value(_ segments: [String], host: UInt64 = 0, seed: UInt64 = 1) -> UInt32 {
        var hash = RouteHash(seed: seed, multiplier: 0x9E37_79B9_7F4A_7C15)
        for segment in segments {
            for byte in segment.utf8 { hash.append(byte) }
            hash.endSegment()
        }
        return hash.value(with: host)
    }

    @Test func `where a segment ends counts, also after whole words and for empty segments`() {
        let keys = [
            [], [""], ["", ""], ["ab", "c"], ["a", "bc"], ["abc"], ["\0abc"], ["abcdefg"],
            ["abcdefg", ""], ["", "abcdefg"], ["abcdefgh"], ["abcdefg", "h"], ["abcdefghijklmn"],
        ]
        #expect(Set(keys.map { value($0) }).count == keys.count)
    }

    @Test func `the host and the seed count`() {
        #expect(value(["a"]) != value(["a"], host: 2))
        #expect(value(["a"]) != value(["a"], seed: 2))
    }

    @Test func `two tables hash differently`() {
        let values = (0..<8).map { _ in
            var hash = RouteHash.random()
            hash.append(0x61)
            hash.endSegment()
            return hash.value(with: 0)
        }
        #expect(Set(values).count > 4)
    }

    @Test func `names that differ in a number spread over the table`() {
        var used = Set<UInt32>()
        for number in 0..<65_536 { used.insert(value(["user", "student-\(number)"]) & 0xFFFF) }
        // A random function reaches 63 % of the places.
        #expect(used.count > 65_536 * 60 / 100)
    }
}
