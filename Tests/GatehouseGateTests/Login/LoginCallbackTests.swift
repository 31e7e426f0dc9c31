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

    /// What browsers got, in order, and what they are then.
    private final class Outcomes: Sendable {
        let all = Locked<[(Outcome, Browser)]>([])
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
    func `too many codes for too long are a page, and the login goes on when asked again`(
        perPeer: Int, all: Int, peer: String, status: Int, limit: String
    ) async throws {
        let world = try World(
            limits: limits {
                $0.loginExchangesPerPeer = perPeer
                $0.loginExchanges = all
            })
        let (first, callback) = try await begin(world)
        let (second, other) = try await begin(world, as: World.bob, peer: peer)
        let outcomes = Outcomes()
        world.fake.beforeToken {
            world.fake.beforeToken(nil)
            try? await eventually { world.gate.redemptions.waiting == 1 }
            world.clock.advance(by: Limits().providerTime)
            await world.gate.endExpired()
            try? await eventually { outcomes.all.withLock { $0.count } == 1 }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (browser, url) in [(first, callback), (second, other)] {
                group.addTask {
                    var browser = browser
                    let answer = try await browser.navigate(url)
                    let left = browser
                    outcomes.all.withLock { $0.append((answer, left)) }
                }
                try await eventually { world.gate.redemptions.counts.underWay == 1 }
            }
            try await group.waitForAll()
        }
        let both = outcomes.all.withLock { $0 }
        let (answer, waiting) = both[0]
        var browser = waiting
        #expect(both[1].0.location == World.hub + "/lab")
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

    @Test func `a class behind one address signs in at the same moment, in its turn`() async throws
    {
        let world = try World()
        var pupilsToBe: [(browser: Browser, callback: String)] = []
        for number in 0..<60 {
            let pupil = FakeProvider.Person(
                subject: "s-\(number)", username: "pupil\(number)", sid: "sid-\(number)",
                authTime: 1_799_999_900)
            pupilsToBe.append(try await begin(world, as: pupil))
        }
        let most = Locked(0)
        let release = Locked(false)
        world.fake.beforeToken {
            most.withLock { $0 = max($0, world.gate.redemptions.counts.underWay) }
            try? await eventually { release.withLock { $0 } }
        }
        let pupils = pupilsToBe
        try await withThrowingTaskGroup(of: String?.self) { group in
            for pupil in pupils {
                group.addTask {
                    var browser = pupil.browser
                    return try await browser.navigate(pupil.callback).location
                }
            }
            let limit = Limits().loginExchangesPerPeer
            try await eventually { world.gate.redemptions.waiting == 60 - limit }
            #expect(world.fake.count(of: "/token") == limit)
            release.withLock { $0 = true }
            for try await location in group { #expect(location == World.hub + "/lab") }
            #expect(most.withLock { $0 } == limit)
        }
        #expect(world.gate.store.count == 60)
        #expect(world.gate.redemptions.waiting == 0)
    }

    // SECURITY-CASES D15.
    @Test func `junk in the line costs the provider no more than junk without one`() async throws {
        let world = try World(
            limits: limits {
                $0.loginExchangesPerPeer = 2
                $0.refusedCodesPerPeer = 4
            })
        var strangers: [(browser: Browser, callback: String)] = []
        for number in 0..<40 {
            let one = try await begin(world)
            strangers.append((one.browser, junk(one.callback, number)))
        }
        let (alice, good) = try await begin(world, peer: "192.0.2.7")
        let release = Locked(false)
        world.fake.beforeToken { try? await eventually { release.withLock { $0 } } }
        let flood = strangers
        try await withThrowingTaskGroup(of: Int.self) { group in
            for stranger in flood {
                group.addTask {
                    var browser = stranger.browser
                    return try await browser.navigate(stranger.callback).status
                }
            }
            try await eventually { world.gate.redemptions.waiting == 38 }
            release.withLock { $0 = true }
            var browser = alice
            #expect(try await browser.navigate(good).location == World.hub + "/lab")
            let statuses = try await group.reduce(into: []) { $0.append($1) }
            #expect(statuses.count { $0 == 429 } >= 40 - 6)
        }
        // Those that were under way when the fourth was refused, and Alice's.
        #expect(world.fake.count(of: "/token") <= 4 + 2 + 1)
        #expect(world.gate.redemptions.waiting == 0)
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
