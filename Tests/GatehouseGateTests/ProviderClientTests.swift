import GatehouseBase
import GatehouseOIDC
import GatehouseTesting
import Testing

@testable import GatehouseGate

@Suite struct ProviderClientTests {
    private static let discovery = "/.well-known/openid-configuration"

    @Test func `nothing is asked before somebody signs in, and discovery once`() async throws {
        let world = try World()
        #expect(world.fake.requests.isEmpty)
        var browser = Browser(world)
        for _ in 0..<3 { _ = try await browser.navigate(World.hub + "/") }
        #expect(world.fake.count(of: Self.discovery) == 1)
        world.clock.advance(by: .seconds(3601))
        _ = try await browser.navigate(World.hub + "/")
        #expect(world.fake.count(of: Self.discovery) == 2)
    }

    @Test func `a provider that is down is asked once a second and comes back by itself`()
        async throws
    {
        let world = try World()
        world.fake.fail(with: .unreachable)
        var browser = Browser(world)
        for _ in 0..<5 {
            let answer = try await browser.navigate(World.hub + "/a?b")
            guard case .providerDown(let retry)? = answer.page else {
                Issue.record("not the page that names the provider's trouble")
                return
            }
            #expect(answer.status == 503 && answer.field("retry-after") != nil)
            #expect(retry == World.hub + "/.gatehouse/login?rd=%2Fa%3Fb")
        }
        #expect(world.fake.count(of: Self.discovery) == 1)
        world.fake.fail(with: nil)
        world.clock.advance(by: .seconds(1))
        #expect(
            try await browser.signIn(at: World.hub + "/", as: World.alice).location
                == World.hub + "/")
    }

    @Test func `known endpoints are used while the provider is down, also when old`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        world.fake.fail(with: .timeout)
        world.clock.advance(by: .seconds(1800))
        // Whoever is signed in does not notice.
        #expect(try await browser.navigate(World.hub + "/").passage != nil)
        var other = Browser(world)
        #expect(try await other.navigate(World.hub + "/").status == 302)
        world.clock.advance(by: .seconds(3600))
        let start = try await other.navigate(World.hub + "/")
        #expect(start.status == 302)
        let answer = try await other.navigate(try world.fake.callback(start, as: World.bob))
        #expect(answer.status == 503)
        #expect(other.session() == nil)
    }

    @Test func `many at once ask once`() async throws {
        let world = try World()
        let client = try #require(world.gate.snapshot.provider)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 {
                group.addTask { (try? await client.metadata()) != nil }
            }
            for await isKnown in group { #expect(isKnown) }
        }
        #expect(world.fake.count(of: Self.discovery) == 1)
    }

    @Test func `many logins at once read the keys once`() async throws {
        let world = try World()
        await withTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                group.addTask {
                    var person = World.alice
                    person.subject = "s-\(number)"
                    person.sid = "sid-\(number)"
                    var browser = Browser(world)
                    return (try? await browser.signIn(at: World.hub + "/", as: person).status) ?? 0
                }
            }
            for await status in group { #expect(status == 302) }
        }
        #expect(world.fake.count(of: "/certs") == 1)
        #expect(world.gate.store.count == 20)
    }

    @Test func `a key that was made anew under its name is read again, once a second at most`()
        async throws
    {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        world.fake.renewKey()
        var other = Browser(world)
        #expect(try await other.signIn(at: World.hub + "/", as: World.bob).status == 502)
        #expect(world.fake.count(of: "/certs") == 1, "read in this second already")
        world.clock.advance(by: .seconds(1))
        #expect(try await other.signIn(at: World.hub + "/", as: World.bob).status == 302)
        #expect(other.session() != nil)
        #expect(world.fake.count(of: "/certs") == 2)
    }

    @Test func `a token that anybody posts makes us read keys every 30 s at most`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        world.fake.renewKey()
        world.clock.advance(by: .seconds(29))
        let claims = world.fake.logoutClaims(sid: "sid-a", sub: "a-1", jti: "j1")
        let token = world.fake.signer.token(.object(claims))
        #expect(await world.postLogout(token).status == 400)
        #expect(world.fake.count(of: "/certs") == 1)
    }

    @Test func `another configuration knows what was known of the same provider`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let old = try #require(world.gate.provider)
        var options = old.options
        options.scopes = ["groups"]
        let same = ProviderClient(options: options, channel: world.fake, previous: old)
        #expect(same.knownMetadata != nil)
        options.issuer += "-2"
        let other = ProviderClient(options: options, channel: world.fake, previous: old)
        #expect(other.knownMetadata == nil)
    }

    // SECURITY-CASES D18.
    @Test func `no log line holds a token, a code or a cookie`() async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/")
        _ = try await browser.navigate(try world.fake.callback(start, as: World.alice))
        let cookie = try #require(browser.session())
        _ = await world.postLogout("eyJ.secret.token")
        for line in world.log {
            for secret in [cookie, "code-1", "s3cret", "eyJ", "sid-a", "state="] {
                #expect(!line.contains(secret))
            }
        }
    }
}
