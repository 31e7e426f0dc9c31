import GatehouseBase
import Testing

@Suite struct PathReadingsTests {
    private func check(_ path: String) -> PathReading {
        PathReading.check(Array(path.utf8).span)
    }

    private func readings(_ path: String) -> [[String]] {
        PathReading.readings(of: Array(path.utf8).span).map { reading in
            reading.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test(arguments: [
        "/", "/a", "/a/", "/private", "/user/alice/lab", "/a.b", "/...", "/..a", "/.a/b..",
        "/a:b@c!$&'()*+,=~_-", "/{x}|\"<>",
    ])
    func `a path without special bytes is plain`(path: String) {
        #expect(check(path) == .plain)
    }

    @Test(arguments: ["/%70rivate", "/a;x=1", "/a\\b", "//private", "/a//b", "/a%2Fb", "/%c3%bc"])
    func `a path that backends may read differently is special`(path: String) {
        #expect(check(path) == .special)
    }

    // SECURITY-CASES A02, A03, A07, A09.
    @Test(arguments: [
        "", "*", "a", "/a#b", "/a b", "/a\u{1}", "/a\u{7f}", "/ü", "/%", "/%z", "/%zz", "/%4",
        "/%00", "/admin%00/pub", "/%ff", "/%c3", "/%c3/%bc", "/.", "/..", "/./private",
        "/private/.", "/pub/../private", "/pub/%2e%2e/private", "/pub/.%2e/private", "/%2E",
        "/pub;x=1/../private",
    ])
    func `a path that nobody should serve is invalid`(path: String) {
        #expect(check(path) == .invalid)
    }

    @Test func `a segment that only decodes to dots after a second decoding is special`() {
        #expect(check("/pub/%252e%252e%252fprivate") == .special)
    }

    @Test func `reading 0 splits before it decodes and the others after`() {
        #expect(
            readings("/a%2Fb/c") == [
                ["a/b", "c"], ["a", "b", "c"], ["a", "b", "c"], ["a", "b", "c"],
            ])
    }

    @Test func `an encoded dot segment is resolved in the readings that decode first`() {
        #expect(
            readings("/pub/..%2fprivate") == [
                ["pub", "../private"], ["private"], ["private"], ["private"],
            ])
        #expect(readings("/pub/..%5cprivate")[1] == ["private"])
    }

    @Test func `matrix parameters are cut in reading 2 only`() {
        #expect(
            readings("/pub;x=1/y") == [
                ["pub;x=1", "y"], ["pub;x=1", "y"], ["pub", "y"], ["pub;x=1", "y"],
            ])
    }

    @Test func `a second decoding happens in reading 3 only`() {
        let all = readings("/pub/%252e%252e%252fprivate")
        #expect(all[1] == ["pub", "%2e%2e%2fprivate"])
        #expect(all[3] == ["private"])
        #expect(readings("/a%25zz")[3] == ["a%zz"])
    }

    @Test func `empty segments stay in reading 0 but for a last one`() {
        #expect(readings("//private/")[0] == ["", "private"])
        #expect(readings("//private/")[1] == ["private"])
    }

    /// What the four readings are, in the plainest words: each segment an array of its own.
    private func plainly(_ path: String) -> [[String]] {
        func decoded(_ text: [UInt8]) -> [UInt8] {
            var result: [UInt8] = []
            var index = 0
            while index < text.count {
                if text[index] == 0x25, index + 2 < text.count,
                    let high = ASCII.hexValue(text[index + 1]),
                    let low = ASCII.hexValue(text[index + 2])
                {
                    result.append(high << 4 | low)
                    index += 3
                } else {
                    result.append(text[index])
                    index += 1
                }
            }
            return result
        }
        func resolved(_ bytes: [UInt8], cutting: Bool) -> [[UInt8]] {
            var segments: [[UInt8]] = []
            for part in bytes.split(whereSeparator: { $0 == 0x2F || $0 == 0x5C }) {
                let segment = cutting ? Array(part.prefix { $0 != 0x3B }) : Array(part)
                switch segment {
                case [], [0x2E]: continue
                case [0x2E, 0x2E]: _ = segments.popLast()
                default: segments.append(segment)
                }
            }
            return segments
        }
        let bytes = Array(path.utf8)
        var split = bytes.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
            .map { decoded(Array($0)) }
        if split.last == [] { split.removeLast() }
        let once = decoded(bytes)
        return [
            split, resolved(once, cutting: false), resolved(once, cutting: true),
            resolved(decoded(once), cutting: false),
        ].map { $0.map { String(decoding: $0, as: UTF8.self) } }
    }

    @Test func `the readings of any path are what the rules say`() {
        let words = [
            "/", "/", "a", "b.", ".", "..", ";", "\\", "%2e", "%2F", "%5c", "%252f", "%25", "%3B",
            "é",
        ]
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            let count = Int.random(in: 0..<14, using: &generator)
            let path = (0..<count).reduce("/") { text, _ in text + (words.randomElement() ?? "") }
            #expect(readings(path) == plainly(path), "\(path)")
        }
    }

    @Test func `a segment is compared as a whole, and no further than the last one`() {
        let reading = PathReading.readings(of: Array("/ab;c/d/%2e%2e".utf8).span)[1]
        #expect(reading.has(Array("ab;c".utf8), at: 0) && !reading.has(Array("ab".utf8), at: 0))
        #expect(!reading.has([], at: 0) && !reading.has([], at: 1) && !reading.has([], at: -1))
        #expect(reading.joinedPath() == Array("/ab;c".utf8))
        let split = PathReading.readings(of: Array("/a/b%2Fc/d".utf8).span)[0]
        #expect(split.joinedPath() == Array("/a".utf8))
        #expect(split.map { $0.count } == [1, 3, 1])
    }

    @Test func `dots above the root stay at the root`() {
        #expect(readings("/..%2f..%2fa")[1] == ["a"])
    }

    @Test(arguments: [
        ("/user/%C3%A9", "/user/é"), ("/b%40r", "/b@r"), ("/a%2Fb/c", "/a/b/c"), ("/%2525", "/%25"),
        ("//%2Fa//b//", "/a//b//"), ("/a\\b", "/a/b"), ("/D%5Cu", "/D\\u"), ("\\\\a;x", "/a;x"),
        ("/a/..%2fb", "/a/../b"), ("/", "/"), ("//", "/"), ("/%2f", "/"), ("/a+b", "/a+b"),
    ])
    func `routing alone decodes once and keeps empty segments`(path: String, routed: String) {
        let bytes = PathReading.routed(Array(path.utf8).span)
        #expect(String(decoding: bytes, as: UTF8.self) == routed)
    }

    @Test func `plain segments leave out the trailing slash`() {
        let path = Array("/user/alice/".utf8)
        #expect(
            PathReading.plainSegments(of: path.span).map { String(decoding: $0, as: UTF8.self) }
                == ["user", "alice"])
    }
}
