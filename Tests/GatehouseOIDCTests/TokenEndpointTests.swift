import GatehouseBase
import GatehouseOIDC
import Testing

struct TokenEndpointTests {
    private static let good: [String: JSONValue] = [
        "access_token": "at", "id_token": "it", "refresh_token": "rt", "token_type": "Bearer",
        "expires_in": 300, "refresh_expires_in": 1800, "not-before-policy": 0,
        "session_state": "y31j", "scope": "openid",
    ]

    private func read(
        _ status: Int, _ type: String?, _ body: String
    ) throws -> TokenResponse {
        try TokenResponse(
            status: status, contentType: type, body: Array(body.utf8), maximumSize: 10_000)
    }

    private func error(
        _ status: Int, _ type: String?, _ body: String
    ) -> OIDCError? {
        Fixtures.error { try read(status, type, body) }
    }

    private func read(_ body: String) throws -> TokenResponse {
        try read(200, "application/json", body)
    }

    private func error(_ body: String) -> OIDCError? { error(200, "application/json", body) }

    private func body(_ changes: [String: JSONValue] = [:]) -> String {
        String(decoding: Fixtures.claims(Self.good, changes).encoded(), as: UTF8.self)
    }

    // MARK: Request

    /// RFC 6749 §2.3.1: form-encoded first, so that a colon in the id cannot move the border.
    @Test func `credentials are form-encoded before base64`() {
        let plain = ClientCredentials(
            clientID: "s6BhdRkqt3", secret: Secret("7Fjfp0ZBr1KtDRbnfVdmIw"))
        #expect(
            plain.authorization.revealText()
                == "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3")
        let odd = ClientCredentials(clientID: "a:b c", secret: Secret("ü%+/:"))
        let pair = "a%3Ab+c:%C3%BC%25%2B%2F%3A"
        #expect(
            odd.authorization.revealText() == "Basic " + Base64.encode(Array(pair.utf8)))
    }

    @Test func `a code is redeemed with its verifier`() throws {
        let request = TokenRequest(
            code: Secret("5.y&7"), redirectURI: "https://hub.example/.gatehouse/callback",
            verifier: Secret("ver"), credentials: .init(clientID: "id", secret: Secret("pw")))
        let form = try #require(FormFields(parsing: request.body.reveal()))
        #expect(form["grant_type"] == "authorization_code")
        #expect(form["code"] == "5.y&7" && form["code_verifier"] == "ver")
        #expect(form["redirect_uri"] == "https://hub.example/.gatehouse/callback")
        #expect(form.entries.count == 4)
        #expect(request.authorization.revealText() == "Basic aWQ6cHc=")
        #expect("\(request)".contains("5.y") == false)
    }

    // MARK: Response

    @Test func `tokens are read`() throws {
        let response = try read(200, "application/json;charset=UTF-8", body())
        #expect(response.accessToken == Secret("at") && response.idToken == Secret("it"))
        #expect(response.refreshToken == Secret("rt") && response.expiresIn == 300)
        #expect(try read(body(["refresh_token": .null])).refreshToken == nil)
        #expect(!"\(response)".contains("rt\""))
    }

    /// C09.
    @Test func `only bearer tokens, in any case`() {
        #expect(error(body(["token_type": .null])) == .missing("token_type"))
        #expect(error(body(["token_type": "DPoP"])) == .unsupported("token_type"))
        #expect(error(body(["token_type": "N_A"])) == .unsupported("token_type"))
        #expect(error(body(["token_type": 5])) == .missing("token_type"))
        for type: JSONValue in ["bearer", "BEARER"] {
            #expect(error(body(["token_type": type])) == nil)
        }
    }

    @Test func `tokens that are missing or no text are refused`() {
        for name in ["access_token", "id_token"] {
            #expect(error(body([name: .null])) == .missing(name))
        }
        for name in ["access_token", "id_token", "refresh_token"] {
            #expect(error(body([name: 5])) == .malformed(name))
            #expect(error(body([name: ""])) == .malformed(name))
        }
    }

    /// C35.
    @Test func `redirects, HTML, compressed and large answers and half answers fail cleanly`() {
        func isTrouble(_ error: OIDCError?) -> Bool {
            if case .providerTrouble = error { true } else { false }
        }
        #expect(isTrouble(error(302, nil, "")))
        #expect(isTrouble(error(200, "text/html", body())))
        #expect(isTrouble(error(200, nil, body())))
        #expect(isTrouble(error("<html>")))
        #expect(isTrouble(error("\u{1F}\u{8B}\u{8}\0\0\0")))
        #expect(isTrouble(error("[]")))
        #expect(isTrouble(error(String(body().dropLast(5)))))
        #expect(error(String(repeating: "x", count: 10_001)) == .tooLarge("token response"))
        #expect(error("{\"error\":\"invalid_grant\"}") == .invalidGrant)
        #expect(error(body(["error": "server_error"])) != nil)
    }

    @Test func `a dead grant, our own credentials and a sick provider are told apart`() {
        func isTrouble(_ error: OIDCError?) -> Bool {
            if case .providerTrouble = error { true } else { false }
        }
        let json = "application/json"
        #expect(
            error(400, json, #"{"error":"invalid_grant","error_description":"Code not valid"}"#)
                == .invalidGrant)
        #expect(error(401, json, #"{"error":"unauthorized_client"}"#) == .credentialsRefused)
        #expect(error(401, json, #"{"error":"invalid_client"}"#) == .credentialsRefused)
        #expect(error(401, "text/html", "") == .credentialsRefused)
        #expect(error(400, json, #"{"error":"invalid_client"}"#) == .credentialsRefused)
        #expect(error(400, json, #"{"error":"invalid_scope"}"#) == .refused("invalid_scope"))
        #expect(error(400, json, #"{"error":"x\r\ny"}"#) == .refused("an error of its own"))
        #expect(isTrouble(error(500, json, #"{"error":"unknown_error"}"#)))
        #expect(isTrouble(error(503, "text/plain", "Bootstrap in progress. Retry in 1 seconds.")))
        #expect(isTrouble(error(429, json, "{}")))
        #expect(isTrouble(error(404, json, #"{"error":"Realm does not exist"}"#)))
        #expect(isTrouble(error(400, "text/html", "<html>")))
        #expect(isTrouble(error(502, nil, "")))
    }
}
