import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC
import Testing

@testable import GatehouseGate

/// Settings that name another provider while people are signed in.
@Suite struct ProviderChangeTests {
    private static let other = "https://other.example/realms/x"

    private func provider(
        _ world: World, issuer: String = FakeProvider.issuer,
        clientID: String = FakeProvider.clientID, secret: String = "s3cret"
    ) -> ProviderClient {
        ProviderClient(
            options: ProviderClient.Options(
                issuer: issuer,
                credentials: ClientCredentials(clientID: clientID, secret: Secret(secret))),
            channel: world.fake, clock: world.clock.gateClock)
    }

    @Test(arguments: ["issuer", "client", "none"])
    func `sessions end with the provider that they are of`(change: String) async throws {
        let world = try World()
        var alice = Browser(world)
        var bob = Browser(world)
        try await alice.signIn(at: World.hub + "/", as: World.alice)
        try await bob.signIn(at: World.grafana + "/", as: World.bob)
        let next: ProviderClient? =
            switch change {
            case "issuer": provider(world, issuer: Self.other)
            case "client": provider(world, clientID: "other")
            default: nil
            }
        await world.gate.replace(world.gate.snapshot.options, provider: next)
        #expect(world.ended.map(\.1) == [.providerChanged, .providerChanged])
        #expect(world.gate.store.count == 0)
        // Not even the settings of before bring them back.
        await world.gate.replace(world.gate.snapshot.options, provider: provider(world))
        #expect(try await alice.send("GET", World.hub + "/", Browser.script).status == 401)
        try await alice.signIn(at: World.hub + "/", as: World.alice)
        #expect(try await alice.navigate(World.hub + "/").passage != nil)
    }

    @Test func `sessions stay where the same provider has another secret`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        await world.gate.replace(
            world.gate.snapshot.options, provider: provider(world, secret: "another"))
        #expect(world.ended.isEmpty)
        #expect(try await browser.navigate(World.hub + "/").passage != nil)
    }

    @Test func `a login that another provider ends becomes no session and is asked again`()
        async throws
    {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/lab")
        let callback = try world.fake.callback(start, as: World.alice)
        let next = provider(world, clientID: "other")
        world.fake.beforeToken {
            await world.gate.replace(world.gate.snapshot.options, provider: next)
        }
        let answer = try await browser.navigate(callback)
        #expect(answer.location == World.hub + "/lab")
        #expect(browser.session() == nil)
        #expect(world.gate.store.count == 0)
        let again = try await browser.navigate(World.hub + "/lab")
        #expect(again.location?.contains("client_id=other") == true)
    }

    @Test func `an ID token is shown to nobody but its issuer`() async throws {
        let world = try World()
        for (issuer, isShown) in [(Self.other, false), (FakeProvider.issuer, true)] {
            let current = try #require(world.gate.snapshot.provider)
            let login = SessionStore.Login(
                issuer: issuer, subject: "a-1", sessionID: "sid-a", host: "hub.example",
                identity: SessionIdentity(
                    claims: Claims(username: "alice"), acr: nil, authTime: nil,
                    created: world.clock.timestamp, idToken: Secret("hush"), tokenClaims: [:]),
                registration: current.options.registration)
            guard
                case .inserted(let session, let cookie, _) = world.gate.store.insert(
                    login, limits: SessionLimits(), now: world.clock.instant)
            else { throw World.Missing() }
            var browser = Browser(world)
            browser.jars["hub.example"] = [("__Host-Http-gatehouse", cookie.value.revealText())]
            let answer = try await browser.navigate(
                World.hub + "/.gatehouse/logout?token=" + world.gate.logoutToken(for: session))
            let location = try #require(answer.location)
            #expect(location.hasPrefix(FakeProvider.issuer + "/logout?"))
            #expect(location.contains("id_token_hint=hush") == isShown)
        }
    }
}
