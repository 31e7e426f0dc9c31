import GatehouseBase
import GatehouseOIDC

/// Tokens that the Hub has said may come beside a session: those of its own pages, and those that
/// belong to no browser's session. What a token belongs to never changes, so that nobody has to be
/// asked again; whether it is still good the Hub and its servers say themselves.
struct KnownTokens: Sendable {
    /// The one that was used last goes last.
    static let limit = 16

    /// 16 bytes of SHA-256 each.
    private var digests: [[UInt8]] = []
    /// The one that came last: a page sends the same one again and again.
    private var recent: [UInt8]?

    mutating func holds(_ token: [UInt8]) -> Bool {
        if let recent, constantTimeEquals(recent, token) { return true }
        guard !digests.isEmpty else { return false }
        let asked = KnownTokens.digest(token)
        guard digests.contains(where: { constantTimeEquals($0, asked) }) else { return false }
        recent = token
        return true
    }

    mutating func add(_ token: [UInt8]) {
        let digest = KnownTokens.digest(token)
        digests.removeAll { $0 == digest }
        digests.append(digest)
        if digests.count > KnownTokens.limit { digests.removeFirst() }
        recent = token
    }

    private static func digest(_ token: [UInt8]) -> [UInt8] {
        Array(Crypto.sha256(token).prefix(16))
    }
}
