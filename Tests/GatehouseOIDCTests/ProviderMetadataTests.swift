import GatehouseBase
import GatehouseOIDC
import Testing

struct ProviderMetadataTests {
    private static let base = "http://keycloak.sso.svc:8080/realms/lab"

    private static func document(at place: String) -> [String: JSONValue] {
        [
            "issuer": .string(Fixtures.issuer),
            "authorization_endpoint": .string(Fixtures.issuer + "/protocol/auth"),
            "token_endpoint": .string(place + "/protocol/token"),
            "jwks_uri": .string(place + "/protocol/certs"),
            "userinfo_endpoint": .string(place + "/protocol/userinfo"),
            "end_session_endpoint": .string(Fixtures.issuer + "/protocol/logout"),
            "id_token_signing_alg_values_supported": ["PS384", "HS256", "RS256", "none", "EdDSA"],
            "authorization_response_iss_parameter_supported": true,
            "backchannel_logout_supported": true, "backchannel_logout_session_supported": true,
            "code_challenge_methods_supported": ["plain", "S256"],
            "mtls_endpoint_aliases": ["token_endpoint": "https://elsewhere.example/"],
        ]
    }

    private func read(
        _ document: JSONValue, issuer: String = Fixtures.issuer, base: String? = nil
    ) throws -> ProviderMetadata {
        try ProviderMetadata(
            parsing: document.encoded(), issuer: issuer, backChannelBase: base,
            maximumSize: 1 << 20)
    }

    private func error(
        _ changes: [String: JSONValue], base: String? = nil
    ) -> OIDCError? {
        let document = Fixtures.claims(Self.document(at: Fixtures.issuer), changes)
        return Fixtures.error { try read(document, base: base) }
    }

    @Test func `a provider's document is read`() throws {
        let metadata = try read(.object(Self.document(at: Fixtures.issuer)))
        #expect(metadata.issuer == Fixtures.issuer)
        #expect(metadata.authorizationEndpoint == Fixtures.issuer + "/protocol/auth")
        #expect(metadata.tokenEndpoint == Fixtures.issuer + "/protocol/token")
        #expect(metadata.keySetURL == Fixtures.issuer + "/protocol/certs")
        #expect(metadata.endSessionEndpoint == Fixtures.issuer + "/protocol/logout")
        #expect(metadata.algorithms == [.ps384, .rs256, .edDSA])
        #expect(metadata.promisesIssuer && metadata.supportsPKCE)
        #expect(metadata.supportsBackChannelLogout && metadata.supportsBackChannelLogoutSession)
    }

    @Test func `what is optional may be absent`() throws {
        let names = ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"]
        let metadata = try read(
            .object(Self.document(at: Fixtures.issuer).filter { names.contains($0.key) }))
        #expect(metadata.endSessionEndpoint == nil)
        #expect(metadata.algorithms == [.rs256])
        #expect(!metadata.promisesIssuer && !metadata.supportsPKCE)
        for name in names { #expect(error([name: .null]) == .missing(name)) }
    }

    @Test func `the document stands below the issuer or the back-channel base`() {
        let path = "/.well-known/openid-configuration"
        #expect(
            ProviderMetadata.url(issuer: Fixtures.issuer, backChannelBase: nil)
                == Fixtures.issuer + path)
        #expect(
            ProviderMetadata.url(issuer: "https://sso.example/", backChannelBase: nil)
                == "https://sso.example" + path)
        #expect(
            ProviderMetadata.url(issuer: Fixtures.issuer, backChannelBase: Self.base)
                == Self.base + path)
    }

    /// C34.
    @Test func `the issuer must be ours, byte for byte`() {
        for text in [
            "https://sso.example/realms/lab/", "https://sso.example/realms/other",
            "https://SSO.example/realms/lab", "http://sso.example/realms/lab",
        ] {
            #expect(error(["issuer": .string(text)]) == .mismatch("issuer"))
        }
    }

    /// C34.
    @Test(arguments: [
        "https://evil.example/token", "http://sso.example/realms/lab/token",
        "https://sso.example:8443/token", "https://sso.example.evil/token",
        "https://sso.example@evil.example/token", "https://evil.example\\@sso.example/token",
        "https://user:pw@sso.example/token", "//sso.example/token", "/token", "token", "",
        "ftp://sso.example/token", "javascript:alert(1)", "https://", "https:///token",
        "https://sso.example/token#x", "https://sso.example/ token",
        "https://sso.example/a\r\nb", "https://sso.example/%2e%2E/x",
        "https://sso.example/a/../b", "https://sso.example:0/x", "https://sso.example:x/",
        "https://sso.example:/x", "https://sso.exämple/x", "http://127.0.0.1/token",
        "http://localhost/token", "http://169.254.169.254/latest/meta-data",
    ])
    func `endpoints elsewhere, without TLS or unclear are refused`(url: String) {
        for name in ["token_endpoint", "jwks_uri", "authorization_endpoint"] {
            let error = error([name: .string(url)])
            #expect(error == .mismatch(name) || error == .malformed(name))
        }
        #expect(error(["end_session_endpoint": .string(url)], base: Self.base) != nil)
    }

    @Test func `an endpoint that is not used may be anywhere`() {
        let elsewhere = JSONValue.string("https://graph.example.com/oidc/userinfo")
        #expect(
            error(["userinfo_endpoint": elsewhere, "introspection_endpoint": elsewhere]) == nil)
    }

    /// C34.
    @Test func `not JSON, not an object, too large: refused`() {
        for text in ["", "<html>", "[]", "{\"issuer\":1}", "{\"issuer\":\"a\",\"issuer\":\"b\"}"] {
            #expect(
                Fixtures.error {
                    try ProviderMetadata(
                        parsing: Array(text.utf8), issuer: Fixtures.issuer, backChannelBase: nil,
                        maximumSize: 1000)
                } != nil)
        }
        let bytes = JSONValue.object(Self.document(at: Fixtures.issuer)).encoded()
        #expect(
            Fixtures.error {
                try ProviderMetadata(
                    parsing: bytes, issuer: Fixtures.issuer, backChannelBase: nil,
                    maximumSize: bytes.count - 1)
            } == .tooLarge("discovery"))
        #expect(error(["token_endpoint": 5]) == .malformed("token_endpoint"))
        #expect(
            error(["id_token_signing_alg_values_supported": ["HS256", "none"]])
                == .unsupported("id_token_signing_alg_values_supported"))
    }

    @Test func `an issuer without TLS is good on this machine only`() throws {
        for (issuer, good) in [
            ("http://127.0.0.1:9000/realms/lab", true), ("http://localhost:9000/x", true),
            ("http://app.localhost:9000/x", true), ("http://[::1]:9000/x", true),
            ("http://127.0.0.1.evil.example/x", false), ("http://sso.example/x", false),
            ("http://localhost.example/x", false), ("http://127.0.0.300/x", false),
            ("http://10.0.0.1/x", false),
        ] {
            let document = Fixtures.claims(
                Self.document(at: issuer),
                [
                    "issuer": .string(issuer), "authorization_endpoint": .string(issuer + "/auth"),
                    "end_session_endpoint": .null,
                ])
            #expect((Fixtures.error { try read(document, issuer: issuer) } == nil) == good)
        }
    }

    @Test func `with a back-channel base our requests go there and the browser's do not`() throws {
        let split = try read(.object(Self.document(at: Self.base)), base: Self.base)
        #expect(split.tokenEndpoint == Self.base + "/protocol/token")
        #expect(split.keySetURL == Self.base + "/protocol/certs")
        #expect(split.authorizationEndpoint == Fixtures.issuer + "/protocol/auth")
        #expect(split.endSessionEndpoint == Fixtures.issuer + "/protocol/logout")
    }

    /// Keycloak with a fixed hostname and without `hostname-backchannel-dynamic`.
    @Test func `a provider that only knows its public name is reached at the base all the same`()
        throws
    {
        let metadata = try read(
            .object(Self.document(at: Fixtures.issuer)), base: Self.base + "/")
        #expect(metadata.tokenEndpoint == Self.base + "/protocol/token")
        #expect(metadata.authorizationEndpoint == Fixtures.issuer + "/protocol/auth")
        let other = Fixtures.claims(
            Self.document(at: Self.base),
            ["authorization_endpoint": .string(Self.base + "/protocol/auth?x=1")])
        #expect(
            try read(other, base: Self.base).authorizationEndpoint
                == Fixtures.issuer + "/protocol/auth?x=1")
    }

    /// C34.
    @Test func `beside the base is not below it`() {
        for url in [
            "http://keycloak.sso.svc:8080/realms/lab2/token",
            "http://keycloak.sso.svc/realms/lab/t",
            "http://keycloak.sso.svc:8080/realms/la", "http://keycloak.sso.svc:8080/",
            "http://keycloak.sso.svc:8080/realms/lab/../x",
        ] {
            #expect(error(["token_endpoint": .string(url)], base: Self.base) != nil)
        }
    }
}
