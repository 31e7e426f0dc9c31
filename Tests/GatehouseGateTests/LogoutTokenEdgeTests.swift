import GatehouseBase
import GatehouseHTTP
import GatehouseTesting
import Testing

@testable import GatehouseGate

@Suite struct LogoutTokenEdgeTests {
    private func token(
        _ world: World, sid: String? = "sid-a", sub: String? = "a-1", jti: String = "j1",
        header: [String: JSONValue] = ["typ": "logout+jwt"],
        _ change: (inout [String: JSONValue]) -> Void = { _ in }
    ) -> String {
        var claims = world.fake.logoutClaims(sid: sid, sub: sub, jti: jti)
        change(&claims)
        return world.fake.signer.token(.object(claims), header: header)
    }

    /// Alice in two browsers with a provider's session each, and bob.
    private func people(_ world: World) async throws -> (Browser, Browser, Browser) {
        var one = Browser(world)
        try await one.signIn(at: World.hub + "/", as: World.alice)
        var other = World.alice
        other.sid = "sid-a2"
        var two = Browser(world)
        try await two.signIn(at: World.hub + "/", as: other)
        var bob = Browser(world)
        try await bob.signIn(at: World.hub + "/", as: World.bob)
        return (one, two, bob)
    }

    // SECURITY-CASES E06.
    @Test func `a sid ends that session on all hosts and no other`() async throws {
        let world = try World()
        var (one, two, bob) = try await people(world)
        try await one.signIn(at: World.grafana + "/", as: World.alice)
        let answer = await world.postLogout(token(world))
        #expect(answer.status == 200 && answer.field("cache-control") == "no-store")
        #expect(world.ended.map(\.1) == [.backChannelSession, .backChannelSession])
        #expect(try await one.navigate(World.hub + "/").status == 302)
        #expect(try await one.navigate(World.grafana + "/").status == 302)
        #expect(try await two.navigate(World.hub + "/").passage != nil)
        #expect(try await bob.navigate(World.hub + "/").passage != nil)
        #expect(world.log.contains("logout user=alice host=hub.example cause=bcl_sid"))
    }

    // SECURITY-CASES E07.
    @Test func `a sub alone ends all sessions of the user`() async throws {
        let world = try World()
        var (one, two, bob) = try await people(world)
        #expect(await world.postLogout(token(world, sid: nil)).status == 200)
        #expect(world.ended.map(\.1) == [.backChannelSubject, .backChannelSubject])
        #expect(try await one.navigate(World.hub + "/").status == 302)
        #expect(try await two.navigate(World.hub + "/").status == 302)
        #expect(try await bob.navigate(World.hub + "/").passage != nil)
    }

    // SECURITY-CASES E08, E18.
    @Test(arguments: ["unknown", "*", "../x", "sid-a*"])
    func `an unknown sid is a success that ends nothing`(sid: String) async throws {
        let world = try World()
        var (one, _, _) = try await people(world)
        #expect(await world.postLogout(token(world, sid: sid)).status == 200)
        #expect(await world.postLogout(token(world, sub: "b-2", jti: "j2")).status == 200)
        #expect(world.ended.isEmpty && world.gate.store.count == 3)
        #expect(try await one.navigate(World.hub + "/").passage != nil)
    }

    // SECURITY-CASES E10, E11, E12, E13, E14, E16.
    @Test(
        arguments: [
            ("nonce", JSONValue.string("n")), ("events", .null), ("events", "x"),
            ("events", .object([:])),
            (
                "events",
                .object(["http://schemas.openid.net/event/backchannel-logout": .string("x")])
            ),
            ("aud", "other"), ("aud", .array(["other"])),
            ("iss", "https://sso.example/realms/other"),
            ("iat", .number(1_799_999_600)), ("exp", .number(1_799_999_900)), ("iat", .null),
            ("jti", .null),
            ("iat", .number(1_800_003_600)), ("typ", "ID"), ("sid", "a\u{0}b"), ("sid", "a\r\nb"),
            ("sid", .string(String(repeating: "x", count: 10_000))),
        ] as [(String, JSONValue)])
    func `a wrong claim ends nothing`(claim: String, value: JSONValue) async throws {
        let world = try World()
        var (one, _, _) = try await people(world)
        let bad = token(world) { $0[claim] = value == .null ? nil : value }
        let answer = await world.postLogout(bad)
        #expect(answer.status == 400)
        #expect(answer.field("cache-control") == "no-store")
        #expect(world.ended.isEmpty)
        #expect(world.log.contains { $0.hasPrefix("bcl_rejected reason=") })
        #expect(try await one.navigate(World.hub + "/").passage != nil)
        #expect(await world.postLogout(token(world)).status == 200)
        #expect(world.ended.count == 1)
    }

    // SECURITY-CASES E12.
    @Test func `neither sub nor sid is refused`() async throws {
        let world = try World()
        #expect(await world.postLogout(token(world, sid: nil, sub: nil)).status == 400)
    }

    // SECURITY-CASES E09, E23.
    @Test func `only the provider's own signature counts`() async throws {
        let world = try World()
        let (_, _, _) = try await people(world)
        let claims = JSONValue.object(
            world.fake.logoutClaims(sid: "sid-a", sub: "a-1", jti: "j"))
        let bad = [
            world.fake.stranger.token(claims),
            world.fake.stranger.token(claims, header: ["kid": "k1"]),
            TokenSigner.forged(claims, header: ["alg": "none", "kid": "k1"], hmacKey: nil),
            TokenSigner.forged(
                claims, header: ["alg": "HS256", "kid": "k1"], hmacKey: Array("s3cret".utf8)),
            "a.b.c.d.e", "x", "..",
        ]
        for token in bad { #expect(await world.postLogout(token).status == 400) }
        #expect(world.ended.isEmpty)
        #expect(await world.postLogout(token(world)).status == 200)
    }

    // SECURITY-CASES E15.
    @Test func `a token counts once and strangers' tokens fill nothing`() async throws {
        let world = try World()
        let good = token(world)
        #expect(await world.postLogout(good).status == 200)
        #expect(await world.postLogout(good).status == 400)
        #expect(world.log.contains("bcl_rejected reason=replay peer=198.51.100.7"))
        let claims = world.fake.logoutClaims(sid: "s", sub: nil, jti: "other")
        _ = await world.postLogout(
            world.fake.stranger.token(.object(claims), header: ["kid": "k1"]))
        #expect(world.gate.replays.count == 1)
    }

    // SECURITY-CASES D12, E15.
    @Test func `a full replay cache refuses`() async throws {
        let world = try World(limits: limits { $0.replayEntries = 1 })
        let (_, _, _) = try await people(world)
        #expect(await world.postLogout(token(world, sid: "x")).status == 200)
        #expect(await world.postLogout(token(world, jti: "j2")).status == 503)
        #expect(world.ended.isEmpty)
    }

    // SECURITY-CASES E17.
    @Test func `only a form with one token is read`() async throws {
        let world = try World()
        let good = FormFields.encode([("logout_token", token(world))])
        let type = "application/x-www-form-urlencoded"
        #expect(await world.post(good, type: "application/json").status == 400)
        #expect(await world.post(good, type: "multipart/form-data").status == 400)
        #expect(await world.post(good, type: nil).status == 400)
        #expect(await world.post("", type: type).status == 400)
        #expect(await world.post(good + "&" + good, type: type).status == 400)
        let large = "logout_token=" + String(repeating: "x", count: 1 << 20)
        #expect(await world.post(large, type: type).status == 413)
        var browser = Browser(world)
        let get = try await browser.navigate(World.hub + "/.gatehouse/backchannel-logout")
        #expect(get.status == 405 && get.field("allow") == "POST")
        #expect(await world.post(good, type: type + "; charset=UTF-8").status == 200)
    }

    // SECURITY-CASES E19, C11.
    @Test func `a flood is cut off by peer and asks for keys once in a while`() async throws {
        let world = try World()
        #expect(await world.postLogout(token(world, sid: "x")).status == 200)
        let asked = world.fake.count(of: "/certs")
        var statuses: [Int: Int] = [:]
        for number in 0..<200 {
            let claims = world.fake.logoutClaims(sid: "s", sub: nil, jti: "\(number)")
            let bad = world.fake.stranger.token(
                .object(claims), header: ["kid": .string("unknown-\(number)")])
            statuses[await world.postLogout(bad, peer: "203.0.113.9").status, default: 0] += 1
        }
        #expect(statuses == [400: 50, 429: 150])
        #expect(world.fake.count(of: "/certs") <= asked + 1)
        #expect(await world.postLogout(token(world, jti: "j2")).status == 200)
        world.clock.advance(by: .seconds(1))
        #expect(await world.postLogout("x", peer: "203.0.113.9").status == 400)
    }

    // SECURITY-CASES E20, E21.
    @Test func `a login in flight does not survive a logout and a newer one does`() async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/lab")
        let callback = try world.fake.callback(start, as: World.alice)
        #expect(await world.postLogout(token(world)).status == 200)
        let again = try await browser.navigate(callback)
        #expect(again.location?.contains("prompt=login") == true)
        #expect(world.gate.store.count == 0)
        var fresh = World.alice
        fresh.authTime = world.clock.timestamp.seconds + 1
        let end = try await browser.navigate(try world.fake.callback(again, as: fresh))
        #expect(end.location == World.hub + "/lab")
        // The same sid, signed in anew, also by somebody else.
        #expect(world.gate.store.count == 1)
    }

    // SECURITY-CASES E21.
    @Test func `a logout between code and session leaves no session`() async throws {
        let world = try World()
        let token = token(world, sid: nil)
        world.fake.beforeToken { _ = await world.postLogout(token) }
        var browser = Browser(world)
        let answer = try await browser.signIn(at: World.hub + "/", as: World.alice)
        #expect(answer.location?.contains("prompt=login") == true)
        #expect(world.gate.store.count == 0)
        world.fake.beforeToken(nil)
        var bob = Browser(world)
        #expect(
            try await bob.signIn(at: World.hub + "/", as: World.bob).location == World.hub + "/")
    }

    @Test func `a tombstone is gone after ten minutes`() async throws {
        let world = try World()
        #expect(await world.postLogout(token(world)).status == 200)
        world.clock.advance(by: .seconds(601))
        await world.gate.endExpired()
        var browser = Browser(world)
        #expect(
            try await browser.signIn(at: World.hub + "/", as: World.alice).location
                == World.hub + "/")
    }
}
