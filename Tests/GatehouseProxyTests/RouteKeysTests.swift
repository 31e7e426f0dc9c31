import GatehouseBase
import Testing

@testable import GatehouseProxy

/// The table beside a list that is searched in full: they always find the same.
struct RouteKeysTests {
    /// So that a failure can be repeated (SplitMix64).
    private struct SeededGenerator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
    }

    private struct Listed {
        let host: String?
        let segments: [[UInt8]]
        var value: Int
    }

    private static let names = [
        "a", "b", "ab", "user", "alice", "lab", "constructor", "toString", "__proto__", "é", "秀樹",
        "a b", "b@r", "x;y", "D\\u", "%41", "seven77", "eight888", "a-name-of-many-words", "",
    ]
    private static let hosts = ["h", "hub.example.org", "[::1]"]

    /// What must be found, by the words of the contract.
    private func expected(
        _ list: [Listed], _ host: String, _ path: [UInt8], _ readings: RoutingReadings
    ) -> RouteMatch<Int> {
        let read: [[[UInt8]]]
        switch (PathReading.check(path.span), readings) {
        case (.invalid, _): return .none
        case (.plain, _): read = [PathReading.plainSegments(of: path.span).map { Array($0) }]
        case (.special, .mustAgree):
            read = PathReading.readings(of: path.span).map { $0.map { Array($0) } }
        case (.special, .first):
            let text = PathReading.routed(path.span)
            read = [
                Array(text.drop { $0 == 0x2F })
                    .split(separator: 0x2F, omittingEmptySubsequences: false).map { Array($0) }
            ]
        }
        let found = read.map { segments in
            let covering = list.filter { segments.starts(with: $0.segments) }
            let best = { (host: String?) in
                covering.filter { $0.host == host }.max { $0.segments.count < $1.segments.count }
            }
            return (best(host) ?? best(nil))?.value
        }
        guard let first = found.first, found.allSatisfy({ $0 == first }) else {
            return .disagreeing
        }
        return first.map { .route($0) } ?? .none
    }

    private func randomPath(_ random: inout SeededGenerator, encoded: Bool) -> String {
        var path = ""
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            path += "/"
            for byte in (Self.names.randomElement(using: &random) ?? "").utf8 {
                let isRaw = ASCII.isTarget(byte) && byte != UInt8(ascii: "%")
                if encoded, !isRaw || Int.random(in: 0..<12, using: &random) == 0 {
                    path += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
                } else if isRaw {
                    path += String(decoding: CollectionOfOne(byte), as: UTF8.self)
                }
            }
            if encoded, Int.random(in: 0..<20, using: &random) == 0 { path += "%2F" }
        }
        return path.isEmpty ? "/" : path
    }

    private func randomPrefix(_ random: inout SeededGenerator) -> String {
        let count = Int.random(in: 0...4, using: &random)
        return (0..<count).map { _ in "/" + (Self.names.randomElement(using: &random) ?? "") }
            .joined() + (count == 0 ? "/" : "")
    }

    private func segments(_ prefix: String) -> [[UInt8]] {
        var bytes = Array(prefix.utf8.drop { $0 == 0x2F })
        while bytes.last == 0x2F { bytes.removeLast() }
        if bytes.isEmpty { return [] }
        return bytes.split(separator: 0x2F, omittingEmptySubsequences: false).map { Array($0) }
    }

    @Test(arguments: [RoutingReadings.mustAgree, .first], [false, true])
    func `random routes that come and go are found as in a list`(
        readings: RoutingReadings, allHashesEqual: Bool
    ) {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(state: seed)
        let hash =
            allHashesEqual
            ? RouteHash(seed: 0, multiplier: 0)
            : RouteHash(seed: random.next(), multiplier: random.next() | 1)
        var table = RouteTable<Int>(readings: readings, hash: hash)
        var list: [Listed] = []
        for step in 0..<2_000 {
            // It grows for a while and shrinks for a while.
            let isGrowing = step / 250 % 2 == 0
            let host = Bool.random(using: &random) ? nil : Self.hosts.randomElement(using: &random)
            let prefix = randomPrefix(&random)
            let key = segments(prefix)
            let known = list.firstIndex { $0.host == host && $0.segments == key }
            if Int.random(in: 0..<10, using: &random) < (isGrowing ? 8 : 2) {
                let isSet = table.set(step, host: host, prefix: prefix)
                #expect(isSet, "seed \(seed)")
                if let known {
                    list[known].value = step
                } else {
                    list.append(Listed(host: host, segments: key, value: step))
                }
            } else if Bool.random(using: &random), let victim = list.randomElement(using: &random) {
                let text = victim.segments.map { "/" + String(decoding: $0, as: UTF8.self) }
                let isRemoved = table.remove(host: victim.host, prefix: text.joined())
                #expect(isRemoved, "seed \(seed)")
                list.removeAll { $0.host == victim.host && $0.segments == victim.segments }
            } else {
                let isRemoved = table.remove(host: host, prefix: prefix)
                #expect(isRemoved == (known != nil), "seed \(seed)")
                if let known { list.remove(at: known) }
            }
            #expect(table.count == list.count, "seed \(seed)")
            let path = Array(randomPath(&random, encoded: step % 4 != 0).utf8)
            let name = Self.hosts.randomElement(using: &random) ?? ""
            let found = table.match(
                host: Array((name.uppercased() + ":8443").utf8).span, path: path.span,
                PathReading.check(path.span))
            #expect(
                found == expected(list, name, path, readings),
                "seed \(seed): \(String(decoding: path, as: UTF8.self)) at \(name)")
        }
    }

    @Test func `what 20,000 routes occupied is given back`() {
        var table = RouteTable<Int>()
        let before = table.keys.footprint
        for user in 0..<20_000 { table.set(user, host: nil, prefix: "/user/student-\(user)") }
        // Beside the text of the prefixes (20 bytes), of which the arena may hold as much again.
        #expect(table.keys.footprint / 20_000 < 60 + 20)
        for user in 0..<20_000 {
            table.remove(host: nil, prefix: "/user/student-\(user)")
        }
        #expect(table.count == 0)
        #expect(table.keys.footprint < before + 4096)
        #expect(table.values.capacity <= 64)
    }

    @Test func `routes that are replaced for ever occupy no more than once`() {
        var table = RouteTable<Int>()
        for user in 0..<1_000 { table.set(user, host: nil, prefix: "/user/student-\(user)") }
        let before = table.keys.footprint
        for user in 1_000..<20_000 {
            table.remove(host: nil, prefix: "/user/student-\(user - 1_000)")
            table.set(user, host: nil, prefix: "/user/student-\(user)")
        }
        #expect(table.count == 1_000)
        #expect(table.keys.footprint <= before * 2)
    }

    @Test func `a deep route that has gone costs no look-up any more`() {
        var table = RouteTable<Int>()
        let before = table.keys.footprint
        let deep = String(repeating: "/a", count: 10_000)
        table.set(0, host: nil, prefix: deep)
        let bytes = Array(deep.utf8)
        #expect(table.match(host: Span(), path: bytes.span, .plain) == .route(0))
        table.remove(host: nil, prefix: deep)
        #expect(table.keys.footprint < before + 4096)
    }
}
