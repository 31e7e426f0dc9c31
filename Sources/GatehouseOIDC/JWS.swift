public import GatehouseBase

/// A JWS in compact serialisation (RFC 7515 §7.1) that is well-formed, and not yet verified.
///
/// Keys come from the provider's set and nowhere else: `jku`, `x5u`, `jwk` and `x5c` are never
/// looked at. What would change the meaning of the rest (`crit`, `zip`, `b64`, encryption) is
/// refused (RFC 8725 §3).
public struct JWS: Sendable {
    /// The `alg` of the header, one of the allowed ones.
    public let algorithm: SignatureAlgorithm
    /// The `kid` of the header.
    public let keyID: String?
    /// The `typ` of the header in lower case, without a leading `application/`.
    public let type: String?

    private let payload: [UInt8]
    private let signingInput: [UInt8]
    private let signature: [UInt8]

    /// Takes `text` apart.
    ///
    /// - Parameters:
    ///   - text: three parts of base64url.
    ///   - allowed: what the configuration and the provider have in common.
    ///   - maximumSize: bytes.
    public init(
        parsing text: [UInt8], allowed: Set<SignatureAlgorithm>,
        maximumSize: Int = 32 * 1024
    ) throws(OIDCError) {
        guard text.count <= maximumSize else { throw .tooLarge("token") }
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count != 5 else { throw .unsupported("encryption") }
        guard parts.count == 3 else { throw .malformed("token") }
        guard let header = Base64URL.decode(parts[0]) else { throw .malformed("header") }
        guard let payload = Base64URL.decode(parts[1]) else { throw .malformed("payload") }
        guard let signature = Base64URL.decode(parts[2]), !signature.isEmpty else {
            throw .malformed("signature")
        }
        let fields: JSONValue
        do throws(JSONError) {
            fields = try JSONValue.parse(header, maximumSize: maximumSize, maximumDepth: 8)
        } catch { throw .malformed("header") }
        guard let fields = fields.object else { throw .malformed("header") }
        for name in ["crit", "zip", "b64", "enc"] where fields[name] != nil {
            throw .unsupported(name)
        }
        guard let name = fields["alg"] else { throw .missing("alg") }
        guard let algorithm = name.string.flatMap(SignatureAlgorithm.init(rawValue:)),
            allowed.contains(algorithm)
        else { throw .unsupported("alg") }
        self.algorithm = algorithm
        keyID = try Self.text(fields["kid"], "kid")
        type = try Self.text(fields["typ"], "typ").map(Self.canonicalType)
        self.payload = payload
        self.signature = signature
        signingInput = Array(text[..<parts[1].endIndex])
    }

    /// The claims, once `keys` has the key and the signature is its own.
    ///
    /// There is no other way to them, so that nobody reads what nobody verified.
    public func verifiedClaims(with keys: JWKSet) throws(OIDCError) -> JSONValue {
        guard let key = keys.key(id: keyID, algorithm: algorithm) else { throw .unknownKey }
        guard key.verify(signature, of: signingInput, algorithm: algorithm) else {
            throw .badSignature
        }
        let claims: JSONValue
        do throws(JSONError) {
            claims = try JSONValue.parse(
                payload, maximumSize: payload.count, maximumDepth: OIDCLimits.depth)
        } catch { throw .malformed("payload") }
        guard claims.object != nil else { throw .malformed("payload") }
        return claims
    }

    private static func text(_ value: JSONValue?, _ name: String) throws(OIDCError) -> String? {
        guard let value else { return nil }
        guard let text = value.string else { throw .malformed(name) }
        return text
    }

    /// Media types are compared without case, and `application/` may be left out (RFC 7515 §4.1.9).
    private static func canonicalType(_ type: String) -> String {
        let lowered = type.lowercased()
        return lowered.hasPrefix("application/") ? String(lowered.dropFirst(12)) : lowered
    }
}
