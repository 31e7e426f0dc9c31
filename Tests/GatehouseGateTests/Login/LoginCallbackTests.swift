import GatehouseBase
import GatehouseHTTP
import Synchronization
import Testing

@testable import GatehouseGate

/// What strangers can do with the address that a login ends at.
@Suite struct LoginCallbackTests {
    /// A browser that has begun a login, and the address at which it comes back with a code.
    private func begin(
        _ world: World, as person: FakeProvider.Person = World.alice, peer: String = "192.0.2.1"
    ) async throws -> (browser: Browser, callback: String) {
        var browser = Browser(world, peer: peer)
        let start = try await browser.navigate(World.hub + "/lab")
        return (browser, try world.fake.callback(start, as: person))
    }

    private func junk(_ callback: String, _ number: Int) -> String {
        callback.replacing(#/code=[^&]*/#, with: "code=junk\(number)")
    }

    // SECURITY-CASES D15.
    @Test func `codes that nobody gave out leave nothing behind and keep nobody out`() async throws
    {
        let world = try World(
            limits: limits {
                $0.replayEntries = 4
                $0.refusedCodesPerPeer = 1000
            })
        let (stranger, callback) = try await begin(world)
        for number in 0..<20 {
            var copy = stranger
            let answer = try await copy.navigate(junk(callback, number))
            #expect(answer.location?.hasPrefix(FakeProvider.issuer + "/auth?") == true)
        }
        #expect(world.fake.count(of: "/token") == 20)
        #expect(world.gate.redemptions.counts == (0, 0))
        var alice = Browser(world)
        #expect(
            try await alice.signIn(at: World.hub + "/lab", as: World.alice).location
                == World.hub + "/lab")
        #expect(try await alice.navigate(World.hub + "/lab").passage != nil)
    }

    // SECURITY-CASES C03.
    @Test func `a login is good once, also with another code and its cookie`() async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/lab")
        var kept = browser
        _ = try await browser.navigate(try world.fake.callback(start, as: World.alice))
        #expect(browser.session() != nil)
        let again = try await kept.navigate(try world.fake.callback(start, as: World.alice))
        #expect(again.location?.hasPrefix(FakeProvider.issuer + "/auth?") == true)
        #expect(kept.session() == nil)
        #expect(world.fake.count(of: "/token") == 1)
    }

    @Test func `a second code of a login under way is not redeemed, the first ends well`()
        async throws
    {
        let world = try World()
        let (kept, callback) = try await begin(world)
        let second = Locked<Outcome?>(nil)
        var browser = kept
        let other = junk(callback, 1)
        world.fake.beforeToken {
            world.fake.beforeToken(nil)
            var copy = kept
            let answer = try? await copy.navigate(other)
            second.withLock { $0 = answer }
        }
        #expect(try await browser.navigate(callback).location == World.hub + "/lab")
        let answer = try #require(second.withLock { $0 })
        #expect(answer.location?.hasPrefix(FakeProvider.issuer + "/auth?") == true)
        #expect(world.fake.count(of: "/token") == 1)
    }

    @Test(arguments: [
        (1, 64, "192.0.2.1", 429, "login_exchanges_per_peer"),
        (16, 1, "192.0.2.9", 503, "login_exchanges"),
    ])
    func `too many codes at once are a page, and the login goes on when asked again`(
        perPeer: Int, all: Int, peer: String, status: Int, limit: String
    ) async throws {
        let world = try World(
            limits: limits {
                $0.loginExchangesPerPeer = perPeer
                $0.loginExchanges = all
            })
        let (starting, callback) = try await begin(world)
        var first = starting
        let (second, other) = try await begin(world, as: World.bob, peer: peer)
        let refused = Locked<(Outcome, Browser)?>(nil)
        world.fake.beforeToken {
            world.fake.beforeToken(nil)
            var copy = second
            guard let answer = try? await copy.navigate(other) else { return }
            let copied = copy
            refused.withLock { $0 = (answer, copied) }
        }
        #expect(try await first.navigate(callback).location == World.hub + "/lab")
        let (answer, waiting) = try #require(refused.withLock { $0 })
        var browser = waiting
        #expect(answer.status == status)
        #expect(answer.field("retry-after") == "5")
        guard case .loginFailed(.busy, _)? = answer.page else {
            Issue.record("no page of ours")
            return
        }
        #expect(
            world.log.contains("login_limited limit=\(limit) host=hub.example peer=\(peer)"))
        #expect(world.fake.count(of: "/token") == 1)
        #expect(try await browser.navigate(other).location == World.hub + "/lab")
        #expect(browser.session() != nil)
        #expect(world.gate.redemptions.counts.underWay == 0)
    }

    @Test func `a peer whose codes are refused waits for the next second, others do not`()
        async throws
    {
        let world = try World(limits: limits { $0.refusedCodesPerPeer = 2 })
        let (stranger, callback) = try await begin(world)
        for number in 0..<4 {
            var copy = stranger
            let answer = try await copy.navigate(junk(callback, number))
            #expect(answer.status == (number < 2 ? 302 : 429))
        }
        #expect(world.fake.count(of: "/token") == 2)
        let (other, good) = try await begin(world, peer: "192.0.2.7")
        var alice = other
        #expect(try await alice.navigate(good).location == World.hub + "/lab")
        world.clock.advance(by: .seconds(1))
        var copy = stranger
        #expect(try await copy.navigate(callback).location == World.hub + "/lab")
    }

    @Test func `where no login can be remembered none is redeemed, and it says so`() async throws {
        let world = try World(limits: limits { $0.replayEntries = 1 })
        var alice = Browser(world)
        try await alice.signIn(at: World.hub + "/", as: World.alice)
        let (kept, callback) = try await begin(world, as: World.bob)
        var bob = kept
        let answer = try await bob.navigate(callback)
        #expect(answer.status == 503)
        guard case .loginFailed(.busy, _)? = answer.page else {
            Issue.record("no page of ours")
            return
        }
        #expect(world.fake.count(of: "/token") == 1)
        #expect(
            world.log.contains("login_limited limit=replay_entries host=hub.example peer=192.0.2.1")
        )
        world.clock.advance(by: Limits().loginTime)
        #expect(
            try await bob.signIn(at: World.hub + "/", as: World.bob).location == World.hub + "/")
    }
}
