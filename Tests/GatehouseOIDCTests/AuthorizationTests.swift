import GatehouseBase
import GatehouseOIDC
import Testing

struct AuthorizationTests {
    private let pkce = PKCE(transaction: Secret([UInt8](repeating: 7, count: 32)))

    private func request(scopes: [String] = ["openid", "profile"]) -> AuthorizationRequest {
        AuthorizationRequest(
            clientID: "gate house", redirectURI: "https://hub.example/.gatehouse/callback",
            scopes: scopes, state: "st&te", pkce: pkce)
    }

    private func fields(of url: String) throws -> FormFields {
        let query = try #require(url.split(separator: "?", maxSplits: 1).last)
        return try #require(FormFields(parsing: Array(query.utf8)))
    }

    private func parse(_ query: String) throws -> AuthorizationResponse {
        try AuthorizationResponse(parsing: Array(query.utf8))
    }

    private func error(_ query: String) -> OIDCError? { Fixtures.error { try parse(query) } }

    // MARK: PKCE

    /// C32.
    @Test func `the verifier has 64 characters and the challenge is its SHA-256`() {
        let text = pkce.verifier.revealText()
        #expect(text.utf8.count == 64)
        #expect(Base64URL.decode(text)?.count == 48)
        #expect(pkce.challenge == Base64URL.encode(Crypto.sha256(Array(text.utf8))))
        #expect(pkce.challenge.utf8.count == 43 && pkce.nonce.utf8.count == 43)
    }

    @Test func `one cookie gives one set of values, another cookie other ones`() {
        let same = PKCE(transaction: Secret([UInt8](repeating: 7, count: 32)))
        #expect(same.verifier == pkce.verifier && same.nonce == pkce.nonce)
        let other = PKCE(transaction: .random(count: 32))
        #expect(other.verifier != pkce.verifier && other.nonce != pkce.nonce)
        #expect(pkce.nonce != pkce.challenge)
    }

    // MARK: Request

    /// C32.
    @Test func `the request holds what it must, S256, and nothing twice`() throws {
        let url = request().url(endpoint: "https://sso.example/auth")
        #expect(url.hasPrefix("https://sso.example/auth?response_type=code&"))
        let fields = try fields(of: url)
        let expected = [
            "response_type": "code", "client_id": "gate house",
            "redirect_uri": "https://hub.example/.gatehouse/callback", "scope": "openid profile",
            "state": "st&te", "nonce": pkce.nonce, "code_challenge": pkce.challenge,
            "code_challenge_method": "S256",
        ]
        #expect(fields.entries.count == expected.count)
        for (name, value) in expected { #expect(fields.all(named: name) == [value]) }
        #expect(!url.contains(pkce.verifier.revealText()))
    }

    @Test func `options are sent where they are set, and openid always`() throws {
        var request = request(scopes: ["email"])
        request.prompt = "login"
        request.acrValues = "2"
        request.identityProviderHint = "partner"
        let fields = try fields(of: request.url(endpoint: "https://sso.example/auth"))
        #expect(fields["scope"] == "openid email")
        #expect(fields["prompt"] == "login" && fields["acr_values"] == "2")
        #expect(fields["kc_idp_hint"] == "partner")
    }

    @Test func `a query of the endpoint's own is kept`() {
        let url = request().url(endpoint: "https://sso.example/auth?tenant=1")
        #expect(url.hasPrefix("https://sso.example/auth?tenant=1&response_type=code&"))
        #expect(
            request().url(endpoint: "https://sso.example/auth?")
                .hasPrefix("https://sso.example/auth?response_type=code&"))
    }

    // MARK: Response

    @Test func `a callback of Keycloak's is read`() throws {
        let response = try parse(
            "state=abc&session_state=y31j&iss=https%3A%2F%2Fsso.example%2Frealms%2Flab&code=5.y.7")
        #expect(response.state == "abc")
        guard case .code(let code) = response.outcome else {
            Issue.record("no code")
            return
        }
        #expect(code == Secret("5.y.7"))
        #expect(throws: Never.self) {
            try response.check(issuer: Fixtures.issuer, promised: true)
        }
    }

    /// C01, C37.
    @Test func `empty and broken callbacks are refused`() {
        #expect(error("") == .missing("state"))
        #expect(error("?&") == .missing("state"))
        #expect(error("?=") == .missing("state"))
        #expect(error("code=x") == .missing("state"))
        #expect(error("state=&code=x") == .missing("state"))
        #expect(error("state=x") == .missing("code"))
        #expect(error("state=x&code=") == .missing("code"))
        #expect(error("state=%zz&code=x") == .malformed("query"))
        #expect(error("state=x&code=y&error=z") == .mismatch("error"))
    }

    /// C06.
    @Test(arguments: ["state", "code", "iss", "error"])
    func `nothing may come twice`(name: String) {
        #expect(error("state=x&code=y&\(name)=a&\(name)=a") == .duplicate(name))
        #expect(
            error(
                "state=x&code=y&\(name)=a&%\(Hex.encode([name.utf8.first ?? 0]))"
                    + "\(name.dropFirst())=b") == .duplicate(name))
    }

    /// C07.
    @Test func `an error is kept for a page, without control characters and cut`() throws {
        let response = try parse(
            "state=x&error=access_denied&error_description=%3Cscript%3E%0D%0A"
                + String(repeating: "y", count: 500))
        guard case .error(let code, let description) = response.outcome else {
            Issue.record("no error")
            return
        }
        #expect(code == "access_denied")
        #expect(description?.hasPrefix("<script>  yyy") == true)
        #expect(description?.count == 256)
    }

    /// C08.
    @Test func `iss must be ours, and there where it is promised`() throws {
        let check = { (query: String, promised: Bool) in
            Fixtures.error {
                try parse(query).check(issuer: Fixtures.issuer, promised: promised)
            }
        }
        let other = "https%3A%2F%2Fsso.example%2Frealms%2Fother"
        #expect(check("state=x&code=y", true) == .missing("iss"))
        #expect(check("state=x&code=y", false) == nil)
        #expect(check("state=x&code=y&iss=", true) == .missing("iss"))
        for promised in [true, false] {
            #expect(check("state=x&code=y&iss=\(other)", promised) == .mismatch("iss"))
            #expect(check("state=x&error=z&iss=\(other)", promised) == .mismatch("iss"))
            #expect(
                check("state=x&code=y&iss=https://sso.example/realms/lab/", promised)
                    == .mismatch("iss"))
        }
    }
}
