import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseOIDC
import GatehouseTesting
import Testing

/// A provider on a port, and a browser in front of it; the client plays the gateway.
struct ProviderFixture {
    static let redirectURI = "https://app.example.org/.gatehouse/callback"
    static let afterLogout = "https://app.example.org/.gatehouse/logged-out"

    let provider: FakeProvider
    let server: LocalServer
    let browser: TestClient
    let verifier = "0123456789abcdefghijklmnopqrstuvwxyz0123456789-._~"

    /// - Parameter listening: back channels, by client.
    init(
        clients: [String: String?] = ["app": nil],
        clock: @escaping @Sendable () -> Timestamp = { .now() }, post: FakeProvider.Post? = nil
    ) throws {
        let loop = EventLoop(name: "provider")
        let port = try LocalPort()
        let origin = "http://127.0.0.1:\(port.number)"
        var options = FakeProvider.Options(
            issuer: origin + "/realms/demo",
            clients: clients.keys.sorted().map { id in
                FakeClient(
                    id, secret: "\(id)-secret", redirectURIs: [ProviderFixture.redirectURI],
                    postLogoutRedirectURIs: [ProviderFixture.afterLogout],
                    backChannelLogoutURL: clients[id] ?? nil)
            })
        options.algorithm = .es256
        options.clock = clock
        let provider = FakeProvider(options, post: post)
        self.provider = provider
        server = try LocalServer.start(port, on: loop) { _ in provider }
        browser = TestClient(on: loop)
    }

    var issuer: String { provider.options.issuer }

    func url(_ path: String, _ query: [(String, String)] = []) -> String {
        issuer + path + (query.isEmpty ? "" : "?" + FormFields.encode(query))
    }

    /// The parameters of a good authorization request.
    func request(
        client: String = "app", _ changes: [String: String?] = [:]
    ) -> [(String, String)] {
        var fields = [
            ("response_type", "code"), ("client_id", client),
            ("redirect_uri", ProviderFixture.redirectURI), ("scope", "openid profile"),
            ("state", "s t&1"), ("nonce", "n-1"),
            ("code_challenge", Base64URL.encode(Crypto.sha256(Array(verifier.utf8)))),
            ("code_challenge_method", "S256"),
        ]
        for (name, value) in changes {
            fields.removeAll { $0.0 == name }
            if let value { fields.append((name, value)) }
        }
        return fields
    }

    func authorize(
        client: String = "app", _ changes: [String: String?] = [:]
    ) async throws -> WireResponse {
        try await browser.visit(
            url("/protocol/openid-connect/auth", request(client: client, changes)))
    }

    /// Fills in the form of a login page.
    func logIn(
        _ page: WireResponse, as name: String = "alice", password: String = "alice-pw"
    ) async throws -> WireResponse {
        let action = try #require(page.formAction)
        let here = try #require(TestURL(issuer))
        return try await browser.post(
            here.resolved(action), [("username", name), ("password", password)])
    }

    /// The parameters of a redirect to the client.
    func callback(_ response: WireResponse) throws -> FormFields {
        #expect(response.status == 302)
        let location = try #require(response["location"])
        let url = try #require(TestURL(location))
        #expect(url.origin + url.path == ProviderFixture.redirectURI)
        return try #require(FormFields(parsing: Array(url.query.utf8)))
    }

    func redeem(
        _ code: String, client: String = "app", secret: String? = nil,
        _ changes: [String: String?] = [:]
    ) async throws -> WireResponse {
        var form = [
            ("grant_type", "authorization_code"), ("code", code),
            ("redirect_uri", ProviderFixture.redirectURI), ("code_verifier", verifier),
        ]
        for (name, value) in changes {
            form.removeAll { $0.0 == name }
            if let value { form.append((name, value)) }
        }
        let pair = "\(client):\(secret ?? client + "-secret")"
        return try await browser.post(
            url("/protocol/openid-connect/token"), form,
            fields: [("Authorization", "Basic " + Base64.encode(Array(pair.utf8)))])
    }

    /// A whole sign-in; the answer of the token endpoint.
    func tokens(
        client: String = "app", as name: String = "alice", password: String = "alice-pw"
    ) async throws -> JSONValue {
        var answer = try await authorize(client: client)
        if answer.status == 200 { answer = try await logIn(answer, as: name, password: password) }
        let code = try #require(try callback(answer)["code"])
        let response = try await redeem(code, client: client)
        #expect(response.status == 200)
        return try #require(response.json)
    }

    /// Verifies an ID token as the product does.
    func verify(_ tokens: JSONValue, client: String = "app") async throws(OIDCError) -> IDToken {
        let keys: WireResponse
        do {
            keys = try await browser.send("GET", url("/protocol/openid-connect/certs"))
        } catch { throw .malformed("jwks") }
        let text = tokens["id_token"]?.string ?? ""
        let token = try JWS(
            parsing: Array(text.utf8), allowed: Set(SignatureAlgorithm.allCases))
        let set = try JWKSet(parsing: keys.body, maximumSize: 1 << 20)
        return try IDToken(
            token, keys: set,
            expecting: IDToken.Expectation(
                issuer: issuer, clientID: client, nonce: "n-1",
                accessToken: tokens["access_token"]?.string.map { Secret($0) },
                algorithms: Set(SignatureAlgorithm.allCases)),
            now: .now())
    }
}
