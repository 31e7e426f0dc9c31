import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseOIDC
import GatehouseTesting
import Testing

struct FakeProviderMischiefTests {
    @Test(arguments: Mischief.WrongToken.allCases)
    func `every wrong token is refused by the product's rules, and a good one after it is not`(
        wrong: Mischief.WrongToken
    ) async throws {
        let lab = try ProviderFixture()
        lab.provider.misbehave { $0.idToken = wrong }
        let tokens = try await lab.tokens()
        await #expect(throws: OIDCError.self) { try await lab.verify(tokens) }
        lab.provider.behave()
        #expect(try await lab.verify(lab.tokens()).preferredUsername == "alice")
        await lab.server.stop()
    }

    @Test func `claims, header, answer, discovery and callback can be overridden`() async throws {
        let lab = try ProviderFixture()
        lab.provider.misbehave { mischief in
            mischief.claims = ["preferred_username": "mallory", "email": .null]
            mischief.tokenResponse = ["expires_in": .null, "extra": true]
            mischief.discovery = ["issuer": "https://evil.example.org"]
            mischief.callback = ["iss": "https://evil.example.org"]
        }
        let page = try await lab.authorize()
        let callback = try lab.callback(try await lab.logIn(page))
        #expect(callback["iss"] == "https://evil.example.org")
        let code = try #require(callback["code"])
        let tokens = try #require(try await lab.redeem(code).json)
        #expect(tokens["expires_in"] == nil)
        #expect(tokens["extra"] == true)
        let token = try await lab.verify(tokens)
        #expect(token.preferredUsername == "mallory")
        #expect(token.email == nil)
        let discovery = try await lab.browser.send(
            "GET", lab.url("/.well-known/openid-configuration"))
        #expect(discovery.json?["issuer"] == "https://evil.example.org")
        await lab.server.stop()
    }

    @Test func `endpoints answer as badly as they are told, and are counted`() async throws {
        let lab = try ProviderFixture()
        let url = lab.url("/protocol/openid-connect/certs")
        func ask(_ trouble: Mischief.Trouble) async throws -> WireResponse {
            lab.provider.misbehave { $0.trouble = [.keys: trouble] }
            return try await lab.browser.send("GET", url)
        }
        #expect(try await ask(.status(500)).status == 500)
        #expect(try await ask(.redirect("https://x/"))["location"] == "https://x/")
        #expect(try await ask(.html)["content-type"] == "text/html")
        #expect(try await ask(.huge(300_000)).body.count == 300_000)
        #expect(try await ask(.garbage).json == nil)
        await #expect(throws: WireError.self) { _ = try await ask(.closed) }
        #expect(lab.provider.count(.keys) == 6)
        #expect(lab.provider.count(.token) == 0)
        await lab.server.stop()
    }

    @Test func `an endpoint that hangs answers nothing until it behaves`() async throws {
        let lab = try ProviderFixture()
        lab.provider.misbehave { $0.trouble = [.discovery: .hang] }
        let port = lab.server.port
        let path = try #require(TestURL(lab.issuer)).path
        let provider = lab.provider
        let status: String = try await lab.browser.loop.attempt { loop in
            let connection = try await RawConnection.connect(port: port, on: loop)
            connection.patience = .milliseconds(50)
            try await connection.send(
                "GET \(path)/.well-known/openid-configuration HTTP/1.1\r\nHost: x\r\n\r\n")
            await #expect(throws: StreamError.timedOut) { try await connection.response() }
            provider.behave()
            return "timed out"
        }
        #expect(status == "timed out")
        await lab.server.stop()
    }

    @Test func `keys can change, and old ones can go`() async throws {
        let lab = try ProviderFixture()
        let first = try await lab.tokens()
        lab.provider.rotateKeys()
        let second = try await lab.tokens()
        _ = try await lab.verify(first)
        _ = try await lab.verify(second)
        lab.provider.rotateKeys(hidingOld: true)
        await #expect(throws: OIDCError.unknownKey) { try await lab.verify(first) }
        _ = try await lab.verify(lab.tokens())
        await lab.server.stop()
    }
}
