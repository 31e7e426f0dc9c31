import GatehouseBase
import GatehouseOIDC
import GatehouseTesting
import Testing

struct JWSTests {
    private let claims: JSONValue = ["sub": "alice"]

    private func error(
        _ token: String, allowed: Set<SignatureAlgorithm> = Fixtures.all
    ) -> OIDCError? {
        Fixtures.error {
            try JWS(parsing: Array(token.utf8), allowed: allowed)
                .verifiedClaims(with: Fixtures.keys())
        }
    }

    @Test func `a good token gives its claims`() throws {
        for signer in [Fixtures.rsa, Fixtures.elliptic, Fixtures.edwards] {
            let token = try JWS(parsing: Array(signer.token(claims).utf8), allowed: Fixtures.all)
            #expect(token.algorithm == signer.algorithm)
            #expect(token.keyID == signer.keyID)
            #expect(token.type == "jwt")
            #expect(try token.verifiedClaims(with: Fixtures.keys()) == claims)
        }
    }

    /// C10.
    @Test func `no algorithm, none, a shared key, or one that is not allowed: refused`() throws {
        let kid: JSONValue = "rsa"
        for name: JSONValue in ["none", "None", "NONE", "", "HS256", "RS1", 5] {
            let token = TokenSigner.forged(
                claims, header: ["alg": name, "kid": kid], hmacKey: [1])
            #expect(error(token) == .unsupported("alg"))
        }
        let absent = TokenSigner.forged(claims, header: ["kid": kid], hmacKey: [1])
        #expect(error(absent) == .missing("alg"))
        let unsigned = TokenSigner.forged(
            claims, header: ["alg": "none", "kid": kid], hmacKey: nil)
        #expect(error(unsigned) == .malformed("signature"))
        // The public key in every form in which it could serve as a shared one.
        let modulus = try #require(Fixtures.rsa.jwk["n"]?.string.flatMap(Base64URL.decode))
        for key in [modulus, JSONValue.object(Fixtures.rsa.jwk).encoded()] {
            for alg: JSONValue in ["HS256", "RS256"] {
                let token = TokenSigner.forged(
                    claims, header: ["alg": alg, "kid": kid], hmacKey: key)
                #expect(error(token) != nil)
            }
        }
        #expect(error(Fixtures.rsa.token(claims), allowed: [.es256]) == .unsupported("alg"))
        #expect(error(Fixtures.rsa.token(claims), allowed: [.rs256]) == nil)
    }

    @Test func `a header that lies about the algorithm does not verify`() {
        #expect(
            error(Fixtures.rsa.token(claims, header: ["alg": "RS512"])) == .unknownKey)
        #expect(
            error(Fixtures.rsa.token(claims, header: ["alg": "ES256", "kid": "ec"]))
                == .badSignature)
        #expect(error(Fixtures.stranger.token(claims)) == .badSignature)
        #expect(error(Fixtures.rsa.token(claims, header: ["kid": "other"])) == .unknownKey)
    }

    /// C12.
    @Test func `keys and addresses of keys in the header are never used`() {
        let stranger = JSONValue.object(Fixtures.stranger.jwk)
        let header: [String: JSONValue] = [
            "jwk": stranger, "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x",
            "x5c": ["MIIB"],
        ]
        #expect(error(Fixtures.stranger.token(claims, header: header)) == .badSignature)
        #expect(
            error(
                Fixtures.stranger.token(
                    claims, header: header.merging(["kid": "evil"]) { $1 })) == .unknownKey)
        #expect(error(Fixtures.rsa.token(claims, header: header)) == nil)
    }

    /// C12, C38.
    @Test(arguments: ["crit", "zip", "b64", "enc"])
    func `crit, zip, b64 and enc are refused`(name: String) {
        for value: JSONValue in [["exp"], "DEF", false, []] {
            #expect(
                error(Fixtures.rsa.token(claims, header: [name: value])) == .unsupported(name))
        }
    }

    /// C38, E23.
    @Test func `an encrypted token is refused as such`() {
        #expect(error("eyJhbGciOiJSU0EtT0FFUCJ9.AA.AA.AA.AA") == .unsupported("encryption"))
    }

    @Test func `a token that is changed anywhere is refused`() {
        let token = Array(Fixtures.elliptic.token(claims).utf8)
        var accepted = 0
        for index in token.indices {
            for replacement in "AB.".utf8 where replacement != token[index] {
                var changed = token
                changed[index] = replacement
                if error(String(decoding: changed, as: UTF8.self)) == nil { accepted += 1 }
            }
        }
        #expect(accepted == 0)
    }

    @Test(arguments: [
        "", ".", "..", "...", "a.b", "e30.e30.", "e30.e30.AA", "e30=.e30.AA", "W10.e30.AA",
        "e30.e30.AA.AA", "e30.e30.AA.AA.AA.AA", "e30 .e30.AA", "eyJhbGciOiJSUzI1NiJ.e30.AA",
    ])
    func `what is no compact JWS is refused`(token: String) {
        #expect(error(token) != nil)
    }

    @Test func `a signed payload must be one JSON object`() {
        for payload in ["", "[]", "5", "\"x\"", "{\"a\":1,\"a\":2}", "{}{}"] {
            let token = Fixtures.rsa.token(payload: Array(payload.utf8))
            #expect(error(token) == .malformed("payload"))
        }
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        let token = Fixtures.rsa.token(payload: Array("{\"a\":\(deep)}".utf8))
        #expect(error(token) == .malformed("payload"))
    }

    @Test func `a token has a size`() {
        let large = Fixtures.rsa.token(["a": .string(String(repeating: "x", count: 25_000))])
        #expect(error(large) == .tooLarge("token"))
        let many = Fixtures.rsa.token(["a": .string(String(repeating: "x", count: 20_000))])
        #expect(error(many) == nil)
    }

    @Test func `header fields of the wrong kind are refused`() {
        #expect(error(Fixtures.rsa.token(claims, header: ["kid": 5])) == .malformed("kid"))
        #expect(error(Fixtures.rsa.token(claims, header: ["typ": ["JWT"]])) == .malformed("typ"))
    }
}
