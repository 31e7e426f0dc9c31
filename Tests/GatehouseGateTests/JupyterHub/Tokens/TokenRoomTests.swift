import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// The rooms in which verdicts about tokens are remembered.
@Suite struct TokenRoomTests: HubSuite {
    let hub: FakeHub
    let world: World
    private let lane: TokenLane

    init() throws {
        hub = FakeHub()
        for number in 0..<20 { hub.know("good-\(number)", FakeHub.model("user-\(number)")) }
        var limits = Limits()
        limits.hubTokenEntries = 4
        limits.hubTokensPerPeer = 4
        world = try World(limits: limits, hub: hub)
        lane = try #require(world.gate.snapshot.lane)
    }

    private func pass(_ number: Int, sourceLocation: SourceLocation = #_sourceLocation) async {
        let passage = await send("good-\(number)", peer: "192.0.2.\(number)").passage
        #expect(passage?.bearer == .user("user-\(number)"), sourceLocation: sourceLocation)
    }

    // SECURITY-CASES G08.
    @Test func `good tokens beyond the room pass, each after a question of its own`() async {
        for number in 0..<6 { await pass(number) }
        #expect(lane.count == (good: 4, bad: 0))
        for number in 0..<6 { await pass(number) }
        #expect(hub.asked.suffix(2) == ["good-4", "good-5"])
        #expect(hub.asked.count == 8)
        // Nor does one room take from the other.
        for number in 0..<4 { expectRefused(await send("junk-\(number)", peer: "192.0.2.99")) }
        #expect(lane.count == (good: 4, bad: 4))
        for number in 0..<4 { expectRefused(await send("junk-\(number)", peer: "192.0.2.99")) }
        #expect(hub.asked.count == 12)
    }

    // SECURITY-CASES G08.
    @Test func `a full room makes place for others by what is over, and by nothing else`() async {
        for number in 0..<2 { await pass(number) }
        world.clock.advance(by: .seconds(20))
        for number in 2..<4 { await pass(number) }
        world.clock.advance(by: .seconds(11))
        // Of the four two are over.
        for number in 4..<6 { await pass(number) }
        #expect(hub.asked.count == 6)
        for number in 2..<6 { await pass(number) }
        #expect(hub.asked.count == 6)
        for round in 1...3 {
            world.clock.advance(by: .seconds(31))
            for number in 0..<4 { await pass(4 * round + number) }
            let count = hub.asked.count
            for number in 0..<4 { await pass(4 * round + number) }
            #expect(hub.asked.count == count)
            #expect(lane.count == (good: 4, bad: 0))
        }
    }

    // SECURITY-CASES G08.
    @Test func `a verdict takes the place of the other one`() async {
        hub.revoke("good-1")
        expectRefused(await send("good-1"))
        #expect(lane.count == (good: 0, bad: 1))
        world.clock.advance(by: .seconds(31))
        hub.know("good-1", FakeHub.model("user-1"))
        await pass(1)
        #expect(lane.count == (good: 1, bad: 0))
        world.clock.advance(by: .seconds(31))
        hub.revoke("good-1")
        expectRefused(await send("good-1"))
        #expect(lane.count == (good: 0, bad: 1))
    }

    // SECURITY-CASES G08.
    @Test func `to ask about a token that was revoked is a guess like any other`() async {
        await pass(1)
        hub.revoke("good-1")
        world.clock.advance(by: .seconds(31))
        // It was good: one question, which is none.
        for number in 0..<4 { expectRefused(await send("junk-\(number)")) }
        expectRefused(await send("good-1"))
        world.clock.advance(by: .seconds(31))
        for number in 0..<4 { expectRefused(await send("more-\(number)")) }
        expectRefused(await send("good-1"), 429, "too_many_tokens")
        await pass(2)
    }

    // SECURITY-CASES G08.
    @Test func `who was good is known for that while JupyterHub cannot say`() async {
        await pass(1)
        world.clock.advance(by: .seconds(31))
        hub.fail(with: .unreachable)
        expectRefused(await send("good-1"), 503, "hub_unavailable")
        hub.fail()
        for number in 0..<4 { expectRefused(await send("junk-\(number)")) }
        expectRefused(await send("junk-9"), 429, "too_many_tokens")
        await pass(1)
    }

    // SECURITY-CASES G08.
    @Test func `where one question at once is allowed, one is`() async throws {
        var limits = Limits()
        limits.hubTokenQuestions = 1
        let world = try World(limits: limits, hub: hub)
        for number in 0..<3 {
            #expect(await send("good-\(number)", in: world).passage != nil)
        }
    }

    // SECURITY-CASES G08.
    @Test(arguments: [401, 403])
    func `JupyterHub's two words for a token that it does not know are one`(status: Int) async {
        hub.fail(status: status)
        expectRefused(await send("good-1"))
        #expect(lane.count == (good: 0, bad: 1))
        hub.fail()
        await pass(2)
    }

    // SECURITY-CASES G08.
    @Test func `who bears a token does not go on where nobody signs in any more`() async {
        let request = RequestHead("GET", target: "/x", authority: "hub.example")
        #expect(world.gate.snapshot.stillAllows(request, nil, .user("alice")))
        await world.gate.replace(world.gate.snapshot.options, provider: nil)
        #expect(world.gate.snapshot.lane == nil)
        #expect(!world.gate.snapshot.stillAllows(request, nil, .user("alice")))
    }
}
