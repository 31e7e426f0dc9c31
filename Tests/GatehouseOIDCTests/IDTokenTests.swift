import GatehouseBase
import GatehouseOIDC
import GatehouseTesting
import Testing

struct IDTokenTests {
    /// As Keycloak 26 writes them.
    static let good: [String: JSONValue] = [
        "exp": 1_795_254_734, "iat": 1_795_254_434, "auth_time": 1_795_254_430,
        "jti": "9c9f1d0e-0000-4000-8000-000000000001", "iss": .string(Fixtures.issuer),
        "aud": .string(Fixtures.clientID), "sub": "a972e1e7-0000-4000-8000-000000000002",
        "typ": "ID", "azp": .string(Fixtures.clientID), "nonce": .string(Fixtures.nonce),
        "sid": "YLm4f2eyKnVBIg7eCK8evy-w", "acr": "1", "email_verified": true,
        "name": "Alice Ä. \"<\\", "preferred_username": "alice", "email": "alice@lab.example",
        "groups": ["/jupyter-users", "/staff"], "realm_access": ["roles": ["jupyter", "user"]],
        "resource_access": ["gatehouse": ["roles": ["admin"]], "account": ["roles": ["view"]]],
    ]

    private var expectation: IDToken.Expectation {
        .init(
            issuer: Fixtures.issuer, clientID: Fixtures.clientID, nonce: Fixtures.nonce,
            accessToken: Fixtures.accessToken, algorithms: Fixtures.all)
    }

    private func validate(
        _ token: String, expecting expected: IDToken.Expectation? = nil,
        at now: Timestamp = Fixtures.now
    ) throws -> IDToken {
        try IDToken(
            Secret(token), keys: Fixtures.keys(), expecting: expected ?? expectation, now: now)
    }

    /// The error for good claims with `changes`; null removes one.
    private func error(
        _ changes: [String: JSONValue], header: [String: JSONValue] = [:],
        signer: TokenSigner = Fixtures.elliptic
    ) -> OIDCError? {
        let token = signer.token(Fixtures.claims(Self.good, changes), header: header)
        return Fixtures.error { try validate(token) }
    }

    @Test(arguments: [Fixtures.rsa, Fixtures.elliptic, Fixtures.edwards])
    func `a good token tells who signed in`(signer: TokenSigner) throws {
        let token = try validate(signer.token(.object(Self.good)))
        #expect(token.issuer == Fixtures.issuer)
        #expect(token.subject == "a972e1e7-0000-4000-8000-000000000002")
        #expect(token.sessionID == "YLm4f2eyKnVBIg7eCK8evy-w")
        #expect(token.issuedAt.seconds == 1_795_254_434)
        #expect(token.expires.seconds == 1_795_254_734)
        #expect(token.authTime?.seconds == 1_795_254_430)
        #expect(token.acr == "1")
        #expect(token.preferredUsername == "alice")
        #expect(token.email == "alice@lab.example" && token.emailVerified)
        #expect(token.name == "Alice Ä. \"<\\")
        #expect(token.groups == ["/jupyter-users", "/staff"])
        #expect(token.realmRoles == ["jupyter", "user"])
        #expect(token.clientRoles == ["gatehouse": ["admin"], "account": ["view"]])
        #expect(token.claims == .object(Self.good))
    }

    @Test func `only what is required must be there`() throws {
        let names = ["iss", "aud", "sub", "exp", "iat", "nonce"]
        let claims = Self.good.filter { names.contains($0.key) }
        let token = try validate(Fixtures.elliptic.token(.object(claims), header: ["typ": .null]))
        #expect(token.sessionID == nil && token.authTime == nil && token.groups.isEmpty)
        #expect(!token.emailVerified && token.realmRoles.isEmpty && token.clientRoles.isEmpty)
        for name in names { #expect(error([name: .null]) == .missing(name)) }
    }

    /// C10.
    @Test func `none, HS256 with a public key or the client's secret, a stranger's key: refused`()
        throws
    {
        let header: [String: JSONValue] = ["alg": "HS256", "typ": "JWT", "kid": "rsa"]
        let modulus = try #require(Fixtures.rsa.jwk["n"]?.string.flatMap(Base64URL.decode))
        for key in [modulus, Array("client-secret".utf8)] {
            let token = TokenSigner.forged(.object(Self.good), header: header, hmacKey: key)
            #expect(Fixtures.error { try validate(token) } == .unsupported("alg"))
        }
        let none = TokenSigner.forged(
            .object(Self.good), header: ["alg": "none"], hmacKey: nil)
        #expect(Fixtures.error { try validate(none) } != nil)
        #expect(error([:], signer: Fixtures.stranger) == .badSignature)
        var narrow = expectation
        narrow.algorithms = [.rs256]
        let token = Fixtures.elliptic.token(.object(Self.good))
        #expect(Fixtures.error { try validate(token, expecting: narrow) } == .unsupported("alg"))
        #expect(error([:]) == nil)
    }

    /// C14.
    @Test(arguments: [
        "https://sso.example/realms/lab/", "https://sso.example:443/realms/lab",
        "https://SSO.example/realms/lab", "http://sso.example/realms/lab",
        "https://sso.example/realms/lab2", "https://sso.example/realms/la", "",
    ])
    func `another issuer, however alike, is refused`(text: String) {
        #expect(error(["iss": .string(text)]) == .mismatch("iss"))
    }

    /// C14.
    @Test func `audiences and authorized party`() {
        #expect(error(["aud": "other"]) == .mismatch("aud"))
        #expect(error(["aud": ["other", "account"]]) == .mismatch("aud"))
        #expect(error(["aud": []]) == .mismatch("aud"))
        #expect(error(["aud": ["gatehouse", 5]]) == .malformed("aud"))
        #expect(error(["aud": 5]) == .malformed("aud"))
        #expect(error(["aud": ["gatehouse", "other"], "azp": .null]) == .missing("azp"))
        #expect(error(["azp": "other"]) == .mismatch("azp"))
        #expect(error(["azp": 5]) == .malformed("azp"))
        #expect(error(["aud": ["gatehouse"], "azp": .null]) == nil)
        #expect(error(["aud": ["other", "gatehouse"]]) == nil)
        #expect(error(["aud": "GATEHOUSE"]) == .mismatch("aud"))
    }

    /// C15.
    @Test func `times are compared with a minute's grace and never wrap`() {
        let now = Fixtures.now.seconds
        #expect(error(["exp": .number(now - 59)]) == nil)
        #expect(error(["exp": .number(now - 60)]) == .expired("exp"))
        #expect(error(["iat": .number(now + 60)]) == nil)
        #expect(error(["iat": .number(now + 61)]) == .premature("iat"))
        #expect(error(["iat": .number(now + 3600)]) == .premature("iat"))
        #expect(error(["nbf": .number(now + 60)]) == nil)
        #expect(error(["nbf": .number(now + 61)]) == .premature("nbf"))
        for name in ["exp", "iat", "nbf", "auth_time"] {
            for value: JSONValue in [
                .number(1e300), .number(-1e300), -1, "1795254734", [], true,
                .number(253_402_300_800), .number(9.3e18), .number(1.9e19),
            ] {
                #expect(error([name: value]) == .malformed(name))
            }
        }
    }

    /// C16.
    @Test func `a nonce that is missing or another login's is refused`() {
        #expect(error(["nonce": "n-0S6_WzA2Mk"]) == .mismatch("nonce"))
        #expect(error(["nonce": ""]) == .mismatch("nonce"))
        #expect(error(["nonce": .null]) == .missing("nonce"))
        #expect(error(["nonce": 5]) == .malformed("nonce"))
    }

    /// C17.
    @Test func `at_hash binds the access token`() throws {
        let bytes = Fixtures.accessToken.reveal()
        let halves: [(TokenSigner, [UInt8])] = [
            (Fixtures.rsa, Array(Crypto.sha256(bytes).prefix(16))),
            (Fixtures.elliptic, Array(Crypto.sha256(bytes).prefix(16))),
            (Fixtures.edwards, Array(Crypto.sha512(bytes).prefix(32))),
        ]
        for (signer, half) in halves {
            #expect(
                error(["at_hash": .string(Base64URL.encode(half))], signer: signer) == nil)
            #expect(
                error(["at_hash": .string(Base64URL.encode(half.reversed()))], signer: signer)
                    == .mismatch("at_hash"))
            #expect(error(["at_hash": ""], signer: signer) == .mismatch("at_hash"))
        }
        var bare = expectation
        bare.accessToken = nil
        let claims = Fixtures.claims(Self.good, ["at_hash": "AAAA"])
        let token = Fixtures.elliptic.token(claims)
        #expect(
            Fixtures.error { try validate(token, expecting: bare) } == .missing("access_token"))
    }

    /// C18.
    @Test func `a subject is a text of 1 to 255 bytes`() {
        #expect(error(["sub": .null]) == .missing("sub"))
        #expect(error(["sub": ""]) == .malformed("sub"))
        #expect(error(["sub": 5]) == .malformed("sub"))
        #expect(error(["sub": .string(String(repeating: "x", count: 255))]) == nil)
        #expect(
            error(["sub": .string(String(repeating: "x", count: 256))]) == .malformed("sub"))
        #expect(
            error(["sub": .string(String(repeating: "é", count: 128))]) == .malformed("sub"))
        for text in ["a\0", "a\r\nb", "\u{7F}"] {
            #expect(error(["sub": .string(text)]) == .malformed("sub"))
            #expect(error(["sid": .string(text)]) == .malformed("sid"))
        }
    }

    /// C20.
    @Test func `access, refresh and logout tokens are no ID tokens`() {
        #expect(error(["typ": "Bearer"]) == .mismatch("typ"))
        #expect(error(["typ": "Refresh"]) == .mismatch("typ"))
        #expect(error(["typ": "Logout"]) == .mismatch("typ"))
        #expect(error(["typ": 5]) == .malformed("typ"))
        #expect(error(["typ": .null]) == nil)
        for type: JSONValue in ["at+jwt", "application/at+jwt", "logout+jwt", "dpop+jwt", ""] {
            #expect(error([:], header: ["typ": type]) == .mismatch("typ"))
        }
        for type: JSONValue in ["JWT", "jwt", "application/JWT", .null] {
            #expect(error([:], header: ["typ": type]) == nil)
        }
        let event: JSONValue = ["http://schemas.openid.net/event/backchannel-logout": [:]]
        #expect(error(["events": event]) == .mismatch("events"))
        #expect(error(LogoutTokenTests.good, header: ["typ": "logout+jwt"]) != nil)
        // Keycloak's access token, nonce and all.
        #expect(error(["typ": "Bearer", "aud": "account"]) == .mismatch("typ"))
    }

    @Test func `a claim that is null is not there`() throws {
        var claims = Self.good
        for name in ["preferred_username", "email", "name", "acr"] { claims[name] = .null }
        let token = try validate(Fixtures.elliptic.token(.object(claims)))
        #expect(token.preferredUsername == nil && token.acr == nil)
        claims["sub"] = .null
        #expect(
            Fixtures.error { try validate(Fixtures.elliptic.token(.object(claims))) }
                == .missing("sub"))
    }

    @Test func `a refreshed token has no nonce and is checked without one`() throws {
        var refreshed = expectation
        refreshed.nonce = nil
        let claims = Fixtures.claims(Self.good, ["nonce": .null])
        let token = try validate(Fixtures.elliptic.token(claims), expecting: refreshed)
        #expect(token.sessionID == "YLm4f2eyKnVBIg7eCK8evy-w")
    }

    /// Nobody gets a group or a role from a claim that is not what it should be.
    @Test func `groups and roles of another shape are none`() throws {
        for value: JSONValue in ["/admins", ["/admins", 5], ["a": "/admins"], .null, 5] {
            let claims = Fixtures.claims(
                Self.good,
                [
                    "groups": value, "realm_access": ["roles": value],
                    "resource_access": ["gatehouse": ["roles": value], "x": 5],
                ])
            let token = try validate(Fixtures.elliptic.token(claims))
            #expect(token.groups.isEmpty && token.realmRoles.isEmpty && token.clientRoles.isEmpty)
        }
        let claims = Fixtures.claims(Self.good, ["email_verified": "true"])
        #expect(try !validate(Fixtures.elliptic.token(claims)).emailVerified)
    }

    /// D18.
    @Test func `an error names the claim and holds nothing of the token`() {
        for error in [
            error(["nonce": "swordfish"]), error(["iss": "swordfish"]), error(["sub": ""]),
        ] {
            #expect(error.map { "\($0)".contains("swordfish") } == false)
        }
        #expect("\(OIDCError.mismatch("nonce"))" == "nonce is not the expected one")
    }
}
