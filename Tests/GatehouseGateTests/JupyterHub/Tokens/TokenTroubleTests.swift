import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// Tokens while JupyterHub is down or slow, and tokens in great numbers.
@Suite struct TokenTroubleTests: HubSuite {
    let hub: FakeHub
    let world: World

    init() throws {
        hub = FakeHub()
        world = try World(hub: hub)
    }

    // SECURITY-CASES G08.
    @Test func `while JupyterHub cannot say, nothing passes and nothing is remembered`()
        async throws
    {
        let failures: [(BackChannelError?, Int?)] = [
            (.unreachable, nil), (.timeout, nil), (.tooLarge, nil), (.malformed, nil), (nil, 500),
            (nil, 302), (nil, 404), (nil, 429), (nil, 204),
        ]
        for (error, status) in failures {
            hub.fail(with: error, status: status)
            let outcome = await send("alices")
            expectRefused(outcome, 503, "hub_unavailable")
            #expect(outcome.field("retry-after") == "5")
        }
        hub.fail()
        hub.know("alices", "{}")
        expectRefused(await send("alices"), 503, "hub_unavailable")
        hub.know("alices", FakeHub.model("alice"))
        #expect(await send("alices").passage != nil)
        // Who was good a while ago is not good now.
        world.clock.advance(by: .seconds(31))
        hub.fail(with: .unreachable)
        expectRefused(await send("alices"), 503, "hub_unavailable")
    }

    // SECURITY-CASES G08.
    @Test func `a flood of junk is cut at 20 a second and peer, and drives out nobody`()
        async throws
    {
        var limits = Limits()
        limits.hubTokenEntries = 64
        let world = try World(limits: limits, hub: hub)
        for token in ["alices", "bobs"] {
            #expect(await send(token, peer: "192.0.2.2", in: world).passage != nil)
        }
        var limited = 0
        for number in 0..<100 {
            let outcome = await send("junk-\(number)", in: world)
            if outcome.status == 429 {
                limited += 1
                expectRefused(outcome, 429, "too_many_tokens")
                #expect(outcome.field("retry-after") == "1")
            } else {
                expectRefused(outcome)
            }
        }
        #expect(limited == 80)
        #expect(hub.asked.count == 22)
        // Another peer is not concerned, nor is who is known already.
        #expect(await send("services", peer: "192.0.2.3", in: world).passage != nil)
        #expect(await send("alices", in: world).passage != nil)
        for second in 0..<20 {
            world.clock.advance(by: .seconds(1))
            for number in 0..<20 {
                _ = await send("junk-\(second)-\(number)", in: world)
            }
        }
        let lane = try #require(world.gate.snapshot.lane)
        #expect(lane.count == (good: 3, bad: 64))
        let count = hub.asked.count
        #expect(await send("alices", in: world).passage != nil)
        #expect(hub.asked.count == count)
        // Its 30 s are over while the flood goes on: asking again is no guess.
        world.clock.advance(by: .seconds(11))
        for number in 0..<30 { _ = await send("more-\(number)", in: world) }
        #expect(await send("alices", in: world).passage != nil)
        #expect(hub.asked.last == "alices")
    }

    // SECURITY-CASES G08.
    @Test func `many with one token at once ask once`() async throws {
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 { group.addTask { await send("alices").passage != nil } }
            for await passes in group { #expect(passes) }
        }
        #expect(hub.asked == ["alices"])
    }

    // SECURITY-CASES G08.
    @Test func `questions that JupyterHub is slow to answer leave room for tokens that were good`()
        async throws
    {
        var limits = Limits()
        limits.hubTokenQuestions = 8
        let world = try World(limits: limits, hub: hub)
        #expect(await send("alices", in: world).passage != nil)
        world.clock.advance(by: .seconds(31))
        let (held, release) = AsyncStream<Never>.makeStream()
        hub.before { for await _ in held {} }
        await withTaskGroup(of: Int.self) { group in
            for number in 0..<4 {
                group.addTask {
                    await send("junk-\(number)", peer: "192.0.2.\(number)", in: world).status
                }
            }
            while hub.asked.count < 5 { await Task.yield() }
            hub.before(nil)
            expectRefused(
                await send("junk-9", peer: "192.0.2.9", in: world), 503, "hub_unavailable")
            #expect(hub.asked.count == 5)
            #expect(await send("alices", in: world).passage != nil)
            release.finish()
            for await status in group { #expect(status == 401) }
        }
    }
}
