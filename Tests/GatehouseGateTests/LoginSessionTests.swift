import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// What a login makes of the browser's sessions and cookies.
@Suite struct LoginSessionTests {
    // SECURITY-CASES C27.
    @Test func `the id is new after every login and the old one dies after a minute`()
        async throws
    {
        let world = try World()
        var browser = Browser(world)
        browser.take(
            "__Host-Http-gatehouse=planted; Path=/; Secure; HttpOnly; SameSite=Lax",
            host: "hub.example")
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let first = try #require(browser.session())
        #expect(first != "planted")
        let old = browser
        var other = Browser(world)
        try await other.signIn(at: World.hub + "/", as: World.alice)
        #expect(other.session() != first)
        #expect(world.gate.store.count == 1)
        var copy = old
        world.clock.advance(by: .seconds(59))
        #expect(try await copy.navigate(World.hub + "/").passage != nil)
        world.clock.advance(by: .seconds(2))
        #expect(try await copy.navigate(World.hub + "/").status == 302)
        #expect(try await other.navigate(World.hub + "/").passage != nil)
    }

    @Test func `another user's login ends the session before, on all hosts`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.grafana + "/", as: World.alice)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let start = try await Browser(world).startOnly(World.hub + "/")
        browser.take(start.cookie, host: "hub.example")
        let callback = try #require(world.fake.authorize(start.location, as: World.bob))
        #expect(try await browser.navigate(callback).status == 302)
        #expect(world.ended.map(\.1) == [.switchedUser, .switchedUser])
        #expect(try await browser.navigate(World.hub + "/").passage?.session?.username == "bob")
        #expect(try await browser.navigate(World.grafana + "/").status == 302)
    }

    @Test func `one login opens a second host without a second password`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        try await browser.signIn(at: World.grafana + "/", as: World.alice)
        #expect(world.gate.store.count == 2)
        #expect(browser.session(at: "grafana.example") != browser.session(at: "hub.example"))
    }

    @Test func `a browser without cookies gets a page and no loop`() async throws {
        let world = try World()
        var url = World.hub + "/"
        var rounds = 0
        while rounds < 10 {
            rounds += 1
            var browser = Browser(world)
            let answer = try await browser.navigate(url)
            guard answer.status == 302, let location = answer.location else {
                guard case .loginFailed(.cookies, _)? = answer.page else {
                    Issue.record("another page")
                    return
                }
                break
            }
            url = try #require(world.fake.authorize(location, as: World.alice))
        }
        #expect(rounds == 4)
        #expect(world.fake.count(of: "/token") == 0)
    }

    @Test func `a session cookie that does not stick ends in a page`() async throws {
        let world = try World()
        var browser = Browser(world)
        var page: Page?
        for _ in 0..<10 {
            let start = try await browser.navigate(World.hub + "/")
            page = start.page
            guard let location = start.location else { break }
            _ = try await browser.navigate(
                try #require(world.fake.authorize(location, as: World.alice)))
            browser.jars["hub.example"]?.removeAll { $0.name == "__Host-Http-gatehouse" }
        }
        guard case .loginFailed(.cookies, let retry)? = page else {
            Issue.record("no page")
            return
        }
        // Asking for it helps.
        #expect(try await browser.navigate(retry).status == 302)
    }

    @Test func `a login left lying starts again`() async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/a")
        let callback = try world.fake.callback(start, as: World.alice)
        world.clock.advance(by: .seconds(901))
        let again = try await browser.navigate(callback)
        #expect(again.location?.hasPrefix(FakeProvider.issuer + "/auth?") == true)
        #expect(world.fake.count(of: "/token") == 0)
    }

    @Test func `a state is good for its own host only`() async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/a")
        let callback = try world.fake.callback(start, as: World.alice)
        browser.jars["grafana.example"] = browser.jars["hub.example"]
        let moved = callback.replacing("https://hub.example", with: World.grafana)
        #expect(try await browser.navigate(moved).status == 400)
        #expect(world.fake.count(of: "/token") == 0)
    }

    @Test func `a long target falls back to its path and state stays short`() async throws {
        let world = try World()
        var browser = Browser(world)
        let long = "/a?" + String(repeating: "x", count: 950)
        let start = try await browser.navigate(World.hub + long)
        let location = try #require(start.location)
        #expect(try state(of: location).utf8.count <= 1500)
        let callback = try #require(world.fake.authorize(location, as: World.alice))
        #expect(try await browser.navigate(callback).location == World.hub + "/a")
        let fits = "/a?" + String(repeating: "x", count: 890)
        let second = try await Browser(world).startOnly(World.hub + fits)
        #expect(try state(of: second.location).utf8.count <= 1500)
    }

    // SECURITY-CASES D12.
    @Test func `a session that cannot be kept is no session`() async throws {
        let world = try World(records: BrokenRecords())
        var browser = Browser(world)
        let answer = try await browser.signIn(at: World.hub + "/", as: World.alice)
        #expect(answer.status == 503)
        #expect(browser.session() == nil)
        #expect(world.gate.store.count == 0)
    }
}
