/// A hash over segments that is under way. What it yields depends on two random numbers, so that
/// nobody can choose names that collide.
///
/// Seven bytes with a one above them make a word, and a word is folded in by a multiplication. The
/// end of a segment folds the bytes that are left (perhaps none), so that `/ab/c` and `/a/bc`
/// differ.
struct RouteHash: Sendable {
    private let multiplier: UInt64
    private(set) var state: UInt64
    private var word: UInt64 = 1

    /// - Parameters: random numbers; 0 and 0 make all hashes equal, for tests.
    init(seed: UInt64, multiplier: UInt64) {
        state = seed
        self.multiplier = multiplier
    }

    static func random() -> RouteHash {
        RouteHash(
            seed: .random(in: .min ... .max), multiplier: .random(in: .min ... .max) | 1)
    }

    mutating func append(_ byte: UInt8) {
        word = word &<< 8 | UInt64(byte)
        if word >= 1 << 56 { endWord() }
    }

    mutating func endSegment() { endWord() }

    /// The hash of the segments so far, together with `host`, the state of another one.
    func value(with host: UInt64) -> UInt32 {
        var last = self
        last.state ^= host
        last.endWord()
        return UInt32(truncatingIfNeeded: last.state)
    }

    private mutating func endWord() {
        let product = multiplier.multipliedFullWidth(by: state ^ word)
        state = product.high ^ product.low
        word = 1
    }
}
