import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseOIDC
import GatehouseTesting
import Synchronization
import Testing

struct FakeProviderTests {
    @Test func `a code flow ends in an ID token that the product accepts`() async throws {
        let lab = try ProviderFixture()
        let page = try await lab.authorize()
        #expect(page.status == 200)
        let answer = try await lab.logIn(page)
        let callback = try lab.callback(answer)
        #expect(callback["state"] == "s t&1")
        #expect(callback["iss"] == lab.issuer)
        let response = try await lab.redeem(try #require(callback["code"]))
        #expect(response.status == 200)
        #expect(response["cache-control"] == "no-store")
        let tokens = try #require(response.json)
        let token = try await lab.verify(tokens)
        #expect(token.preferredUsername == "alice")
        #expect(token.groups == ["/staff", "/admins"])
        #expect(token.realmRoles == ["member", "operator"])
        #expect(token.acr == "1")
        #expect(token.sessionID?.utf8.count == 24)
        #expect(token.sessionID == callback["session_state"])
        await lab.server.stop()
    }

    @Test func `an RSA key signs as well`() async throws {
        let port = try LocalPort()
        let issuer = "http://127.0.0.1:\(port.number)"
        let provider = FakeProvider(FakeProvider.Options(issuer: issuer, clients: []))
        let server = try LocalServer.start(port) { _ in provider }
        let keys = try await TestClient().send("GET", issuer + "/protocol/openid-connect/certs")
        let set = try JWKSet(parsing: keys.body, maximumSize: 1 << 20)
        #expect(set.count == 1)
        #expect(set.key(id: "key-1", algorithm: .rs256) != nil)
        await server.stop()
    }

    @Test func `a second application gets its code without a password, at level 0`() async throws {
        let lab = try ProviderFixture(clients: ["app": nil, "other": nil])
        let first = try await lab.verify(lab.tokens())
        let second = try await lab.verify(lab.tokens(client: "other"), client: "other")
        #expect(second.acr == "0")
        #expect(second.sessionID == first.sessionID)
        #expect(second.authTime == first.authTime)
        await lab.server.stop()
    }

    @Test func `a wrong password shows the form again and a right one goes on`() async throws {
        let lab = try ProviderFixture()
        let page = try await lab.authorize()
        let again = try await lab.logIn(page, password: "wrong")
        #expect(again.status == 200)
        #expect(again.text.contains("Invalid username or password."))
        let answer = try await lab.logIn(again)
        #expect(try lab.callback(answer)["code"] != nil)
        await lab.server.stop()
    }

    @Test func `the same form sent twice ends in an error that the client may try again`()
        async throws
    {
        let lab = try ProviderFixture()
        let page = try await lab.authorize()
        _ = try await lab.logIn(page)
        let second = try lab.callback(try await lab.logIn(page))
        #expect(second["error"] == "temporarily_unavailable")
        #expect(second["state"] == "s t&1")
        await lab.server.stop()
    }

    @Test func `prompt=login asks again, keeps the session and renews its time`() async throws {
        let times = TimeBox(.now())
        let lab = try ProviderFixture(clock: { times.now })
        let first = try await lab.verify(lab.tokens())
        times.advance(.seconds(5))
        let page = try await lab.authorize(["prompt": "login"])
        #expect(page.status == 200)
        #expect(page.text.contains("re-authenticate"))
        let code = try #require(try lab.callback(try await lab.logIn(page))["code"])
        let tokens = try #require(try await lab.redeem(code).json)
        let second = try await lab.verify(tokens)
        #expect(second.sessionID == first.sessionID)
        #expect(second.acr == "1")
        let (before, after) = (try #require(first.authTime), try #require(second.authTime))
        #expect(after - before >= .seconds(4))
        await lab.server.stop()
    }

    @Test func `prompt=none never shows a page`() async throws {
        let lab = try ProviderFixture()
        #expect(
            try lab.callback(await lab.authorize(["prompt": "none"]))["error"] == "login_required")
        _ = try await lab.tokens()
        #expect(try lab.callback(await lab.authorize(["prompt": "none"]))["code"] != nil)
        await lab.server.stop()
    }

    @Test(
        arguments: [
            ("code_challenge_method", nil, "invalid_request"),
            ("code_challenge_method", "plain", "invalid_request"),
            ("code_challenge", nil, "invalid_request"),
            ("response_type", "token", "unsupported_response_type"),
            ("scope", "profile", "invalid_scope"),
        ] as [(String, String?, String)])
    func `a bad authorization request comes back with an error`(
        name: String, value: String?, error: String
    ) async throws {
        let lab = try ProviderFixture()
        let callback = try lab.callback(try await lab.authorize([name: value]))
        #expect(callback["error"] == error)
        #expect(callback["state"] == "s t&1")
        #expect(callback["iss"] == lab.issuer)
        await lab.server.stop()
    }

    @Test(arguments: [
        ("client_id", "nobody"), ("redirect_uri", "https://evil.example.org/.gatehouse/callback"),
        ("redirect_uri", "https://app.example.org/.gatehouse/callback?x=1"),
    ])
    func `an unknown client or redirect URI is never redirected to`(
        name: String, value: String
    ) async throws {
        let lab = try ProviderFixture()
        let page = try await lab.authorize([name: value])
        #expect(page.status == 400)
        #expect(page["location"] == nil)
        await lab.server.stop()
    }

    @Test func `a code is good once, for one client, its verifier and 60 seconds`() async throws {
        let times = TimeBox(.now())
        let lab = try ProviderFixture(clients: ["app": nil, "other": nil], clock: { times.now })
        _ = try await lab.tokens()
        func code() async throws -> String {
            try #require(try lab.callback(try await lab.authorize())["code"])
        }
        func error(_ response: WireResponse) -> String? { response.json?["error"]?.string }

        let wrongSecret = try await lab.redeem(code(), secret: "guessed")
        #expect(wrongSecret.status == 401)
        #expect(error(wrongSecret) == "unauthorized_client")
        #expect(error(try await lab.redeem(code(), client: "other")) == "invalid_grant")
        #expect(
            error(try await lab.redeem(code(), ["code_verifier": "wrong"])) == "invalid_grant")
        #expect(error(try await lab.redeem(code(), ["code_verifier": nil])) == "invalid_grant")
        #expect(
            error(try await lab.redeem(code(), ["redirect_uri": "https://x"])) == "invalid_grant")
        let once = try await code()
        #expect(try await lab.redeem(once).status == 200)
        #expect(error(try await lab.redeem(once)) == "invalid_grant")
        let old = try await code()
        times.advance(.seconds(61))
        #expect(error(try await lab.redeem(old)) == "invalid_grant")
        await lab.server.stop()
    }

    @Test func `a client's secret may stand in the form, as JupyterHub sends it`() async throws {
        let lab = try ProviderFixture(clients: ["app": nil, "other": nil])
        func redeem(
            _ fields: [(String, String)], head: [(String, String)] = []
        ) async throws -> WireResponse {
            var answer = try await lab.authorize()
            if answer.status == 200 { answer = try await lab.logIn(answer) }
            let code = try #require(try lab.callback(answer)["code"])
            let form = [
                ("grant_type", "authorization_code"), ("code", code),
                ("redirect_uri", ProviderFixture.redirectURI), ("code_verifier", lab.verifier),
            ]
            return try await lab.browser.post(
                lab.url("/protocol/openid-connect/token"), form + fields, fields: head)
        }

        #expect(
            try await redeem([("client_id", "app"), ("client_secret", "app-secret")]).status == 200)
        #expect(
            try await redeem([("client_id", "app"), ("client_secret", "guessed")]).status == 401)
        #expect(try await redeem([("client_id", "app")]).status == 401)
        #expect(try await redeem([]).status == 401)
        let (own, others) = (
            [("client_id", "app"), ("client_secret", "app-secret")],
            [("client_id", "other"), ("client_secret", "other-secret")]
        )
        #expect(try await redeem(others).json?["error"]?.string == "invalid_grant")
        #expect(
            try await redeem([("client_id", "app"), ("client_secret", "other-secret")]).status
                == 401)
        // What stands in the head decides.
        let guess = "Basic " + Base64.encode(Array("app:guessed".utf8))
        #expect(try await redeem(own, head: [("Authorization", guess)]).status == 401)
        await lab.server.stop()
    }

    @Test func `in the head id and secret are coded as in a form`() async throws {
        let lab = try ProviderFixture(clients: ["a+b": nil])
        let page = try await lab.authorize(client: "a+b")
        let code = try #require(try lab.callback(try await lab.logIn(page))["code"])
        #expect(try await lab.redeem(code, client: "a+b").status == 401)
        let answer = try await lab.redeem(code, client: "a%2Bb", secret: "a%2Bb-secret")
        #expect(answer.status == 200)
        await lab.server.stop()
    }

    @Test func `a JupyterHub is a client with one address, which is told of no logout`() {
        let hub = FakeClient.jupyterHub("hub", secret: "s", origin: "https://localhost:8443")
        #expect(hub.redirectURIs == ["https://localhost:8443/hub/oauth_callback"])
        #expect(hub.postLogoutRedirectURIs.isEmpty && hub.backChannelLogoutURL == nil)
    }

    @Test func `userinfo answers for a live session only`() async throws {
        let lab = try ProviderFixture()
        let tokens = try await lab.tokens(as: "bob", password: "bob-pw")
        let access = try #require(tokens["access_token"]?.string)
        let url = lab.url("/protocol/openid-connect/userinfo")
        let field = [("Authorization", "Bearer " + access)]
        let answer = try await lab.browser.send("GET", url, fields: field)
        #expect(answer.json?["preferred_username"]?.string == "bob")
        #expect(answer.json?["sub"]?.string == (try await lab.verify(tokens)).subject)
        #expect(try await lab.browser.send("GET", url).status == 401)
        let other = [("Authorization", "Bearer x" + access)]
        #expect(try await lab.browser.send("GET", url, fields: other).status == 401)
        for sid in lab.provider.sessionIDs { lab.provider.forgetSession(sid: sid) }
        #expect(try await lab.browser.send("GET", url, fields: field).status == 401)
        await lab.server.stop()
    }

    @Test func `asked by its inner name it tells which endpoints are for clients only`()
        async throws
    {
        let port = try LocalPort()
        let inner = "http://127.0.0.1:\(port.number)/realms/demo"
        let provider = FakeProvider(
            FakeProvider.Options(
                issuer: "https://sso.example.org/realms/demo", backChannelBase: inner, clients: []))
        let server = try LocalServer.start(port) { _ in provider }
        let response = try await TestClient().send(
            "GET", inner + "/.well-known/openid-configuration")
        let metadata = try ProviderMetadata(
            parsing: response.body, issuer: "https://sso.example.org/realms/demo",
            backChannelBase: inner, maximumSize: 1 << 20)
        let path = "/protocol/openid-connect"
        #expect(
            metadata.authorizationEndpoint == "https://sso.example.org/realms/demo\(path)/auth")
        #expect(metadata.tokenEndpoint == "\(inner)\(path)/token")
        #expect(response.json?["token_endpoint"]?.string == "\(inner)\(path)/token")
        #expect(
            response.json?["token_endpoint_auth_methods_supported"]
                == ["client_secret_basic", "client_secret_post"])
        let outer = try await TestClient().send(
            "GET", inner + "/.well-known/openid-configuration", fields: [])
        #expect(outer.json?["end_session_endpoint"]?.string?.hasPrefix("https://sso") == true)
        await server.stop()
    }
}

/// A clock that a test moves.
final class TimeBox: Sendable {
    private let time: Locked<Timestamp>

    init(_ start: Timestamp) { time = Locked(start) }

    var now: Timestamp { time.withLock { $0 } }

    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}
