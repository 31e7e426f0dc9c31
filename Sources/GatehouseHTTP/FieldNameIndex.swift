import GatehouseBase

/// A hash table over ``FieldName``, built once: buckets of chains, as array indexes.
final class FieldNameIndex: Sendable {
    static let shared = FieldNameIndex()

    /// By hash, and by name: the next name to compare with; 0 ends.
    private let heads: [UInt8]
    private let next: [UInt8]
    /// The normalized spellings, by name.
    private let spellings: [StaticString]

    private init() {
        var heads = [UInt8](repeating: 0, count: 256)
        var next = [UInt8](repeating: 0, count: FieldName.allCases.count)
        for name in FieldName.allCases where name != .other {
            let bytes = Array(name.normalized.description.utf8)
            let bucket = FieldNameIndex.hash(bytes.span)
            next[Int(name.rawValue)] = heads[bucket]
            heads[bucket] = name.rawValue
        }
        self.heads = heads
        self.next = next
        spellings = FieldName.allCases.map(\.normalized)
    }

    /// The name that `bytes` spell, and the one that a backend may take them for: one that
    /// writes `-` for what is neither letter nor digit, or one that only we or a front may say, by its beginning.
    func classify(
        _ bytes: borrowing Span<UInt8>
    ) -> (name: FieldName, resembles: FieldName) {
        guard bytes.count >= 2 else { return (.other, .other) }
        var candidate = heads[FieldNameIndex.hash(bytes)]
        while candidate != 0 {
            let spelling = spellings[Int(candidate)]
            if spelling.utf8CodeUnitCount == bytes.count {
                let name = FieldName(rawValue: candidate) ?? .other
                if bytes.equalsFolded(spelling) { return (name, name) }
                if bytes.startsLike(spelling) { return (.other, name) }
            }
            candidate = next[Int(candidate)]
        }
        return (.other, FieldNameIndex.owner(ofPrefix: bytes))
    }

    /// Families of names that are never a client's to say: one of them stands for all.
    private static func owner(ofPrefix bytes: borrowing Span<UInt8>) -> FieldName {
        switch bytes[0] | 0x20 {
        case 0x78 where bytes.startsLike("x-gatehouse"): .xGatehouseAssertion
        case 0x78 where bytes.startsLike("x-accel"): .xAccelRedirect
        case 0x78 where bytes.startsLike("x-forwarded-"): .xForwardedServer
        case 0x63 where bytes.startsLike("cf-access-"): .cfAccessEmail
        default: .other
        }
    }

    private static func hash(_ bytes: borrowing Span<UInt8>) -> Int {
        let count = bytes.count
        let sum =
            Int(ASCII.foldedName(bytes[0])) &* 31 &+ Int(ASCII.foldedName(bytes[count - 1])) &* 17
            &+ Int(ASCII.foldedName(bytes[count / 2])) &* 7 &+ count &* 113
        return (sum ^ (sum >> 8)) & 255
    }
}
