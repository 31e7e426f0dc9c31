import GatehouseBase
import GatehouseOIDC

/// Where a session stands in the store: HMAC of its id, so that a list of keys opens nothing.
struct StoreKey: Hashable, Sendable {
    let words: (UInt64, UInt64, UInt64, UInt64)

    init(id: [UInt8], indexKey: Secret) {
        let code = Crypto.hmacSHA256(id, key: indexKey)
        words = (
            StoreKey.word(code, 0), StoreKey.word(code, 1), StoreKey.word(code, 2),
            StoreKey.word(code, 3)
        )
    }

    static func == (left: StoreKey, right: StoreKey) -> Bool {
        left.words.0 == right.words.0 && left.words.1 == right.words.1
            && left.words.2 == right.words.2 && left.words.3 == right.words.3
    }

    /// The key is as random as a hash could make it.
    func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

    /// Which of 2^n shards.
    func shard(of count: Int) -> Int { Int(truncatingIfNeeded: words.1) & (count - 1) }

    private static func word(_ bytes: [UInt8], _ index: Int) -> UInt64 {
        bytes[index * 8..<index * 8 + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
