import GatehouseBase
import GatehouseOIDC
import GatehouseTesting
import Testing

struct LogoutTokenTests {
    private static let event = "http://schemas.openid.net/event/backchannel-logout"

    /// As Keycloak 26 writes them.
    static let good: [String: JSONValue] = [
        "exp": 1_795_254_554, "iat": 1_795_254_434, "jti": "618a718f-0000-4000-8000-000000000003",
        "iss": .string(Fixtures.issuer), "aud": .string(Fixtures.clientID),
        "sub": "a972e1e7-0000-4000-8000-000000000002", "typ": "Logout",
        "sid": "YLm4f2eyKnVBIg7eCK8evy-w", "events": [event: [:]],
    ]

    private func validate(
        _ token: String, at now: Timestamp = Fixtures.now,
        algorithms: Set<SignatureAlgorithm> = Fixtures.all
    ) throws -> LogoutToken {
        try LogoutToken(
            LogoutToken.parse(Secret(token), algorithms: algorithms), keys: Fixtures.keys(),
            issuer: Fixtures.issuer, clientID: Fixtures.clientID, now: now)
    }

    private func error(
        _ changes: [String: JSONValue], header: [String: JSONValue] = ["typ": "logout+jwt"],
        signer: TokenSigner = Fixtures.elliptic
    ) -> OIDCError? {
        let token = signer.token(Fixtures.claims(Self.good, changes), header: header)
        return Fixtures.error { try validate(token) }
    }

    @Test(arguments: [Fixtures.rsa, Fixtures.elliptic, Fixtures.edwards])
    func `a good token tells whose sessions end`(signer: TokenSigner) throws {
        let token = try validate(
            signer.token(.object(Self.good), header: ["typ": "logout+jwt"]))
        #expect(token.issuer == Fixtures.issuer)
        #expect(token.subject == "a972e1e7-0000-4000-8000-000000000002")
        #expect(token.sessionID == "YLm4f2eyKnVBIg7eCK8evy-w")
        #expect(token.tokenID == "618a718f-0000-4000-8000-000000000003")
        #expect(token.issuedAt.seconds == 1_795_254_434)
        #expect(!token.lacksExpiry && !token.revokesOfflineAccess)
    }

    @Test func `type JWT, none at all and another client's form are taken`() throws {
        for type: JSONValue in ["JWT", .null, "application/logout+jwt", "LOGOUT+JWT"] {
            #expect(error([:], header: ["typ": type]) == nil)
        }
        #expect(error(["typ": .null]) == nil)
        #expect(error(["sid": .null]) == nil)
        #expect(error(["sub": .null]) == nil)
        let claims = Fixtures.claims(
            Self.good, ["events": [Self.event: [:], "revoke_offline_access": true]])
        #expect(try validate(Fixtures.rsa.token(claims)).revokesOfflineAccess)
    }

    /// E09.
    @Test func `none, shared keys, wrong keys and keys of another issuer: refused`() throws {
        let modulus = try #require(Fixtures.rsa.jwk["n"]?.string.flatMap(Base64URL.decode))
        for key in [modulus, Array("client-secret".utf8)] {
            let token = TokenSigner.forged(
                .object(Self.good), header: ["alg": "HS256", "kid": "rsa"], hmacKey: key)
            #expect(Fixtures.error { try validate(token) } == .unsupported("alg"))
        }
        for name: JSONValue in ["none", "None", ""] {
            let token = TokenSigner.forged(
                .object(Self.good), header: ["alg": name], hmacKey: nil)
            #expect(Fixtures.error { try validate(token) } != nil)
        }
        #expect(error([:], signer: Fixtures.stranger) == .badSignature)
        #expect(error([:], signer: TokenSigner(.es256, keyID: "other")) == .unknownKey)
        let token = Fixtures.elliptic.token(.object(Self.good))
        #expect(
            Fixtures.error { try validate(token, algorithms: [.rs256]) } == .unsupported("alg"))
    }

    /// E10.
    @Test func `a nonce is refused`() {
        #expect(error(["nonce": "n"]) == .mismatch("nonce"))
        let null = Fixtures.elliptic.token(
            payload: Array(
                String(decoding: JSONValue.object(Self.good).encoded(), as: UTF8.self)
                    .replacing("{\"aud\"", with: "{\"nonce\":null,\"aud\"").utf8))
        #expect(Fixtures.error { try validate(null) } == .mismatch("nonce"))
    }

    /// E11.
    @Test func `events must hold the event, as an object`() {
        #expect(error(["events": .null]) == .missing("events"))
        for value: JSONValue in [5, "x", [.string(Self.event)]] {
            #expect(error(["events": value]) == .malformed("events"))
        }
        #expect(error(["events": [:]]) == .mismatch("events"))
        #expect(error(["events": ["http://schemas.openid.net/event/other": [:]]]) != nil)
        for value: JSONValue in [true, "x", [], 1] {
            #expect(error(["events": .object([Self.event: value])]) == .malformed("events"))
        }
    }

    /// E12.
    @Test func `neither sub nor sid is refused`() {
        #expect(error(["sub": .null, "sid": .null]) == .missing("sub"))
    }

    /// E13.
    @Test func `another audience or issuer is refused`() {
        #expect(error(["aud": "other"]) == .mismatch("aud"))
        #expect(error(["aud": ["other"]]) == .mismatch("aud"))
        #expect(error(["aud": .null]) == .missing("aud"))
        #expect(error(["aud": ["other", "gatehouse"]]) == nil)
        #expect(error(["iss": "https://sso.example/realms/other"]) == .mismatch("iss"))
        #expect(error(["iss": .null]) == .missing("iss"))
    }

    /// E14.
    @Test func `old, expired and undated tokens are refused`() throws {
        let now = Fixtures.now.seconds
        #expect(error(["iat": .number(now - 360)]) == nil)
        #expect(error(["iat": .number(now - 361)]) == .expired("iat"))
        #expect(error(["iat": .number(now + 60)]) == nil)
        #expect(error(["iat": .number(now + 61)]) == .premature("iat"))
        #expect(error(["iat": .null]) == .missing("iat"))
        #expect(error(["exp": .number(now - 59)]) == nil)
        #expect(error(["exp": .number(now - 60)]) == .expired("exp"))
        #expect(error(["exp": .number(1e300)]) == .malformed("exp"))
        #expect(error(["iat": .number(-1)]) == .malformed("iat"))
        #expect(error(["jti": .null]) == .missing("jti"))
        #expect(error(["jti": ""]) == .malformed("jti"))
        let fresh = Fixtures.claims(Self.good, ["exp": .null, "iat": .number(now - 150)])
        #expect(try validate(Fixtures.rsa.token(fresh)).lacksExpiry)
        #expect(error(["exp": .null, "iat": .number(now - 151)]) == .missing("exp"))
    }

    /// E16.
    @Test func `ID and access tokens are no logout tokens`() {
        let token = Fixtures.elliptic.token(.object(IDTokenTests.good))
        #expect(Fixtures.error { try validate(token) } == .mismatch("typ"))
        let bare = Fixtures.claims(IDTokenTests.good, ["typ": .null])
        let untyped = Fixtures.elliptic.token(bare)
        #expect(Fixtures.error { try validate(untyped) } == .missing("events"))
        #expect(error(["typ": "Bearer"]) == .mismatch("typ"))
        #expect(error([:], header: ["typ": "at+jwt"]) == .mismatch("typ"))
    }

    /// E17.
    @Test func `the form holds exactly one token`() throws {
        let type = "application/x-www-form-urlencoded"
        let read = { (body: String, type: String?) in
            try LogoutToken.parameter(ofForm: Array(body.utf8), contentType: type).revealText()
        }
        #expect(try read("logout_token=a.b.c", type) == "a.b.c")
        #expect(try read("x=1&logout_token=a.b.c", type + "; charset=UTF-8") == "a.b.c")
        #expect(try read("logout_token=a.b.c", "Application/X-WWW-Form-URLEncoded ;q=1") == "a.b.c")
        let refused: [(String, String?, OIDCError)] = [
            ("", type, .missing("logout_token")),
            ("logout_token=", type, .missing("logout_token")),
            ("Logout_token=a", type, .missing("logout_token")),
            ("logout_token=a&logout_token=a", type, .duplicate("logout_token")),
            ("logout_token=a", nil, .missing("content-type")),
            ("{\"logout_token\":\"a\"}", "application/json", .unsupported("content-type")),
            ("logout_token=a", "multipart/form-data; boundary=x", .unsupported("content-type")),
            ("logout_token=a", "text/plain", .unsupported("content-type")),
            ("logout_token=%", type, .malformed("body")),
            (
                "logout_token=" + String(repeating: "a", count: 16_384), type,
                .tooLarge("body")
            ),
        ]
        for (body, type, expected) in refused {
            #expect(Fixtures.error { try read(body, type) } == expected)
        }
    }

    /// E18.
    @Test func `identifiers are opaque, without control characters and not too long`() throws {
        for name in ["sid", "sub", "jti"] {
            for text in ["a\0b", "a\r\nSet-Cookie: x", "", String(repeating: "x", count: 10_000)] {
                #expect(error([name: .string(text)]) == .malformed(name))
            }
            #expect(error([name: 5]) == .malformed(name))
        }
        for text in ["*", "../../x", "a b", "{x}", "'; DROP TABLE", "é😀"] {
            let claims = Fixtures.claims(Self.good, ["sid": .string(text)])
            let sid = try validate(Fixtures.elliptic.token(claims)).sessionID
            #expect(sid == text)
        }
    }

    /// E23.
    @Test func `an encrypted token is refused`() {
        let token = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AA.AA.AA.AA"
        #expect(Fixtures.error { try validate(token) } == .unsupported("encryption"))
    }
}
