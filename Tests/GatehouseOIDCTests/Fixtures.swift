import GatehouseBase
import GatehouseOIDC
import GatehouseTesting

/// The world of these tests: one provider, one client, one moment.
enum Fixtures {
    static let issuer = "https://sso.example/realms/lab"
    static let clientID = "gatehouse"
    static let now = Timestamp(seconds: 1_795_254_434)
    static let accessToken = Secret("an.access.token")
    static let nonce = "n-0S6_WzA2Mj"
    static let all = Set(SignatureAlgorithm.allCases)

    static let rsa = TokenSigner(.rs256, keyID: "rsa")
    static let elliptic = TokenSigner(.es256, keyID: "ec")
    static let edwards = TokenSigner(.edDSA, keyID: "ed")
    /// Of somebody else: the same kid as ``rsa``, another key.
    static let stranger = TokenSigner(.rs256, keyID: "rsa")

    private static let keySet = Result { try keys([rsa, elliptic, edwards]) }

    static func keys() throws -> JWKSet { try keySet.get() }

    static func keys(_ signers: [TokenSigner]) throws(OIDCError) -> JWKSet {
        try JWKSet(parsing: TokenSigner.keySet(signers), maximumSize: 1 << 20)
    }

    /// `claims` with `changes`; null removes one.
    static func claims(
        _ claims: [String: JSONValue], _ changes: [String: JSONValue]
    ) -> JSONValue {
        var result = claims
        for (name, value) in changes { result[name] = value == .null ? nil : value }
        return .object(result)
    }

    /// What `body` throws; nil where it throws nothing.
    static func error(_ body: () throws -> Any) -> OIDCError? {
        do {
            _ = try body()
            return nil
        } catch { return error as? OIDCError ?? .malformed("the test") }
    }
}
