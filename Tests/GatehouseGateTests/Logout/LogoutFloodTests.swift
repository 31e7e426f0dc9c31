import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC
import GatehouseTesting
import Testing

@testable import GatehouseGate

/// The provider says only once that somebody is gone, whoever else talks meanwhile.
@Suite struct LogoutFloodTests {
    let world: World

    init() throws { world = try World() }

    private func good(_ jti: String) -> String {
        world.fake.signer.token(
            .object(world.fake.logoutClaims(sid: "sid-a", sub: "a-1", jti: jti)))
    }

    // SECURITY-CASES E19.
    @Test func `bad tokens from everywhere do not shut out the provider's`() async throws {
        var alice = Browser(world)
        try await alice.signIn(at: World.hub + "/", as: World.alice)
        for number in 0..<5000 {
            let peer = "2001:db8:\(String(number, radix: 16))::1"
            #expect(await world.postLogout("x", peer: peer).status == 400)
        }
        #expect(await world.postLogout("x").status == 400)
        #expect(await world.postLogout(good("j1")).status == 200)
        #expect(world.ended.count == 1)
    }

    // SECURITY-CASES E19.
    @Test func `a network that floods is limited, however many addresses it has`() async throws {
        var statuses: [Int: Int] = [:]
        for number in 0..<300 {
            let peer = "2001:db8::\(String(number, radix: 16))"
            statuses[await world.postLogout("x", peer: peer).status, default: 0] += 1
        }
        #expect(statuses == [400: 50, 429: 250])
        #expect(world.log.filter { $0.hasPrefix("bcl_rejected") }.count == 50)
        #expect(await world.postLogout("x", peer: "2001:db8:0:1::1").status == 400)
    }

    // SECURITY-CASES E19.
    @Test func `a good token passes from where bad ones come from, and no bad one has us ask`()
        async throws
    {
        var alice = Browser(world)
        try await alice.signIn(at: World.hub + "/", as: World.alice)
        let stranger = FakeProvider(clock: world.clock)
        for _ in 0..<50 { #expect(await world.postLogout("x").status == 400) }
        let asked = world.fake.requests
        for number in 0..<50 {
            let forged = stranger.signer.token(
                .object(stranger.logoutClaims(sid: "sid-a", sub: "a-1", jti: "f\(number)")))
            #expect(await world.postLogout(forged).status == 429)
        }
        #expect(world.ended.isEmpty)
        #expect(await world.postLogout(good("j1")).status == 200)
        #expect(world.ended.count == 1)
        // A replay is a bad one.
        #expect(await world.postLogout(good("j1")).status == 429)
        #expect(world.fake.requests == asked)
    }
}
