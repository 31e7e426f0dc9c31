import GatehouseBase

/// The provider's keys (RFC 7517), as far as they can be used.
///
/// What we do not understand or do not trust is left out, never an error: a provider may publish
/// encryption keys and new kinds of keys beside those that we need. A `kid` that two usable keys
/// share names neither of them.
public struct JWKSet: Sendable {
    struct Entry: Sendable {
        let id: String?
        let algorithm: SignatureAlgorithm?
        let key: PublicKey
    }

    private let entries: [Entry]

    /// The number of usable keys.
    public var count: Int { entries.count }

    /// Reads a JWK set.
    ///
    /// - Parameters:
    ///   - bytes: the document.
    ///   - maximumSize: bytes.
    public init(parsing bytes: [UInt8], maximumSize: Int) throws(OIDCError) {
        guard bytes.count <= maximumSize else { throw .tooLarge("jwks") }
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONValue.parse(
                bytes, maximumSize: maximumSize, maximumDepth: OIDCLimits.depth)
        } catch { throw .malformed("jwks") }
        guard let keys = document["keys"]?.array else { throw .missing("keys") }
        let usable = keys.prefix(OIDCLimits.keys).compactMap(Self.entry)
        var occurrences: [[UInt8]: Int] = [:]
        for id in usable.compactMap(\.id) { occurrences[Array(id.utf8), default: 0] += 1 }
        entries = usable.filter { entry in
            entry.id.map { occurrences[Array($0.utf8)] == 1 } ?? true
        }
    }

    /// The key for a token that names `id` and `algorithm`.
    ///
    /// Without an id the key must be the only one that fits (OpenID Connect Core §10.1).
    public func key(id: String?, algorithm: SignatureAlgorithm) -> PublicKey? {
        let fitting = entries.filter { entry in
            entry.key.fits(algorithm) && (entry.algorithm ?? algorithm) == algorithm
        }
        guard let id else { return fitting.count == 1 ? fitting[0].key : nil }
        return fitting.first { $0.id.map { sameBytes($0, id) } ?? false }?.key
    }

    private static func entry(_ value: JSONValue) -> Entry? {
        guard let fields = value.object else { return nil }
        if let use = fields["use"], use.string != "sig" { return nil }
        if let operations = fields["key_ops"] {
            guard let names = operations.strings, names.contains("verify") else { return nil }
        }
        var algorithm: SignatureAlgorithm?
        if let name = fields["alg"] {
            guard let known = name.string.flatMap(SignatureAlgorithm.init(rawValue:)) else {
                return nil
            }
            algorithm = known
        }
        if let id = fields["kid"], id.string == nil { return nil }
        guard let key = PublicKey(jwk: fields) else { return nil }
        return Entry(id: fields["kid"]?.string, algorithm: algorithm, key: key)
    }
}
