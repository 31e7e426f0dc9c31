import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC
import GatehouseTesting
import Testing

@testable import GatehouseGate

@Suite struct SingleLogoutTests {
    private func claims(_ world: World, jti: String = "j1") -> [String: JSONValue] {
        world.fake.logoutClaims(sid: "sid-a", sub: "a-1", jti: jti)
    }

    private func signedIn(_ world: World) async throws -> Browser {
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        return browser
    }

    private func token(_ world: World, _ claims: [String: JSONValue]) -> String {
        world.fake.signer.token(.object(claims))
    }

    // SECURITY-CASES E06, E08.
    @Test func `a logout token ends its session, closes what hangs on it and no other`()
        async throws
    {
        let world = try World()
        var alice = try await signedIn(world)
        var second = Browser(world)
        var person = World.alice
        person.sid = "sid-other"
        try await second.signIn(at: World.hub + "/", as: person)
        let answer = await world.postLogout(token(world, claims(world)))
        #expect(answer.status == 200)
        #expect(answer.field("cache-control") == "no-store")
        #expect(world.ended.map(\.1) == [.backChannelSession])
        #expect(world.ended.first?.0.sessionID == "sid-a")
        #expect(try await alice.navigate(World.hub + "/").status == 302)
        #expect(try await second.navigate(World.hub + "/").passage != nil)
        // Again, with another jti: a success that changes nothing.
        #expect(await world.postLogout(token(world, claims(world, jti: "j2"))).status == 200)
        #expect(world.ended.count == 1)
        #expect(world.gate.store.count == 1)
    }

    // SECURITY-CASES E07.
    @Test func `a logout token without sid ends every session of the subject`() async throws {
        let world = try World()
        var alice = try await signedIn(world)
        try await alice.signIn(at: World.grafana + "/", as: World.alice)
        var second = Browser(world)
        var person = World.alice
        person.sid = "sid-other"
        try await second.signIn(at: World.hub + "/", as: person)
        var bob = Browser(world)
        try await bob.signIn(at: World.hub + "/", as: World.bob)
        let all = world.fake.logoutClaims(sid: nil, sub: "a-1", jti: "j1")
        #expect(await world.postLogout(token(world, all)).status == 200)
        #expect(world.ended.count == 3)
        #expect(world.ended.allSatisfy { $0.1 == .backChannelSubject })
        #expect(try await bob.navigate(World.hub + "/").passage != nil)
    }

    // SECURITY-CASES E09.
    @Test(arguments: ["none", "HS256", "stranger", "same kid"])
    func `a logout token that the provider did not sign ends nothing`(kind: String) async throws {
        let world = try World()
        var alice = try await signedIn(world)
        let claims = JSONValue.object(claims(world))
        let text =
            switch kind {
            case "none":
                TokenSigner.forged(claims, header: ["alg": "none", "typ": "JWT"], hmacKey: nil)
            case "HS256":
                TokenSigner.forged(
                    claims, header: ["alg": "HS256", "typ": "JWT", "kid": "k1"],
                    hmacKey: Array("s3cret".utf8))
            case "stranger": world.fake.stranger.token(claims)
            default: world.fake.stranger.token(claims, header: ["kid": "k1"])
            }
        #expect(await world.postLogout(text).status == 400)
        #expect(world.ended.isEmpty)
        #expect(try await alice.navigate(World.hub + "/").passage != nil)
    }

    // SECURITY-CASES E10, E11, E12, E13, E14.
    @Test(arguments: [
        ("nonce", JSONValue.string("n")), ("events", .null), ("events", "logout"),
        ("events", JSONValue.object(["http://schemas.openid.net/event/other": .object([:])])),
        ("events", .object(["http://schemas.openid.net/event/backchannel-logout": .bool(true)])),
        ("aud", "other"), ("aud", .array(["other", "third"])),
        ("iss", "https://sso.example/realms/other"), ("iat", .number(1_799_999_000)),
        ("exp", .number(1_799_999_000)), ("iat", .null), ("jti", .null), ("sid", 7),
    ])
    func `a logout token with a wrong claim ends nothing`(
        name: String, value: JSONValue
    ) async throws {
        let world = try World()
        _ = try await signedIn(world)
        var claims = claims(world)
        claims[name] = value == .null ? nil : value
        #expect(await world.postLogout(token(world, claims)).status == 400)
        #expect(world.ended.isEmpty)
        #expect(world.log.contains { $0.hasPrefix("bcl_rejected") })
    }

    // SECURITY-CASES E12.
    @Test func `a logout token that names nobody ends nothing`() async throws {
        let world = try World()
        _ = try await signedIn(world)
        let nobody = world.fake.logoutClaims(sid: nil, sub: nil, jti: "j")
        #expect(await world.postLogout(token(world, nobody)).status == 400)
        #expect(world.ended.isEmpty)
    }

    // SECURITY-CASES E14.
    @Test func `without exp only a fresh logout token is taken, and that is logged`() async throws {
        let world = try World()
        _ = try await signedIn(world)
        var old = claims(world)
        old["exp"] = nil
        old["iat"] = .number(1_799_999_800)
        #expect(await world.postLogout(token(world, old)).status == 400)
        var fresh = claims(world, jti: "j2")
        fresh["exp"] = nil
        #expect(await world.postLogout(token(world, fresh)).status == 200)
        #expect(world.log.contains { $0.hasPrefix("bcl_without_exp") })
    }

    // SECURITY-CASES E15.
    @Test func `a logout token is good once`() async throws {
        let world = try World()
        let text = token(world, claims(world))
        #expect(await world.postLogout(text).status == 200)
        #expect(await world.postLogout(text).status == 400)
        #expect(world.log.contains { $0.contains("reason=replay") })
    }

    // SECURITY-CASES E15.
    @Test func `forged tokens do not fill the memory of replays`() async throws {
        let world = try World(limits: limits { $0.replayEntries = 4 })
        for number in 0..<20 {
            let forged = world.fake.stranger.token(
                .object(claims(world, jti: "f\(number)")), header: ["kid": "k1"])
            #expect(await world.postLogout(forged).status == 400)
        }
        #expect(world.gate.replays.count == 0)
        #expect(await world.postLogout(token(world, claims(world))).status == 200)
    }

    // SECURITY-CASES E16.
    @Test func `an ID token is no logout token`() async throws {
        let world = try World()
        _ = try await signedIn(world)
        let id = world.fake.idToken(World.alice, nonce: "n")
        #expect(await world.postLogout(id).status == 400)
        #expect(world.ended.isEmpty)
    }

    // SECURITY-CASES E17.
    @Test func `only one logout token in a form is taken`() async throws {
        let world = try World()
        let text = token(world, claims(world))
        let form = "application/x-www-form-urlencoded"
        #expect(await world.post("", type: form).status == 400)
        #expect(await world.post("logout_token=", type: form).status == 400)
        let twice = "logout_token=\(text)&logout_token=\(text)"
        #expect(await world.post(twice, type: form).status == 400)
        #expect(await world.post("logout_token=\(text)", type: "application/json").status == 400)
        #expect(await world.post("logout_token=\(text)", type: nil).status == 400)
        #expect(await world.post("logout_token=\(text)", type: "multipart/form-data").status == 400)
        let large = "logout_token=" + String(repeating: "a", count: 1_000_000)
        #expect(await world.post(large, type: form).status == 413)
        let get = RequestHead(
            "GET", target: "/.gatehouse/backchannel-logout?logout_token=\(text)",
            authority: "hub.example")
        let arrival = Arrival(peer: "192.0.2.9", isTLS: true, now: world.clock.instant)
        #expect(await world.send(get, body: [], arrival).status == 405)
        #expect(await world.postLogout(text, type: form + "; charset=UTF-8").status == 200)
    }

    // SECURITY-CASES E18.
    @Test(arguments: ["*", "../", "a\u{0}b", "a\r\nb", "sid-?", "sid-a\u{0}"])
    func `a strange sid is opaque and ends nothing`(sid: String) async throws {
        let world = try World()
        _ = try await signedIn(world)
        let strange = world.fake.logoutClaims(sid: sid, sub: nil, jti: "j")
        let answer = await world.postLogout(token(world, strange))
        #expect(answer.status == 200 || answer.status == 400)
        #expect(world.ended.isEmpty)
    }

    // SECURITY-CASES E19.
    @Test func `a peer that sends bad tokens is slowed down, and nobody else`() async throws {
        let world = try World()
        for _ in 0..<50 {
            #expect(await world.postLogout("x", peer: "203.0.113.1").status == 400)
        }
        let slow = await world.postLogout("x", peer: "203.0.113.1")
        #expect(slow.status == 429)
        #expect(slow.field("retry-after") == "1")
        #expect(await world.postLogout(token(world, claims(world))).status == 200)
        world.clock.advance(by: .seconds(1))
        #expect(await world.postLogout("x", peer: "203.0.113.1").status == 400)
    }

    // SECURITY-CASES E20.
    @Test func `after a logout a new login with the same sid works`() async throws {
        let world = try World()
        var alice = try await signedIn(world)
        #expect(await world.postLogout(token(world, claims(world))).status == 200)
        world.clock.advance(by: .seconds(5))
        var again = World.alice
        again.authTime = 1_800_000_004
        #expect(try await alice.signIn(at: World.hub + "/", as: again).location == World.hub + "/")
        #expect(try await alice.navigate(World.hub + "/").passage != nil)
    }

    // SECURITY-CASES E21.
    @Test func `a login in flight does not outlive the logout of its session`() async throws {
        let world = try World()
        var alice = Browser(world)
        let start = try await alice.navigate(World.hub + "/lab")
        let callback = try world.fake.callback(start, as: World.alice)
        let logout = token(world, claims(world))
        world.fake.beforeToken { _ = await world.postLogout(logout) }
        let answer = try await alice.navigate(callback)
        world.fake.beforeToken(nil)
        #expect(world.gate.store.count == 0)
        #expect(alice.session() == nil)
        // The login starts again, and asks for the password.
        #expect(answer.status == 302)
        #expect(answer.location?.contains("prompt=login") == true)
    }

    // SECURITY-CASES E23.
    @Test(arguments: ["a.b.c.d.e", "....", "eyJhbGciOiJSU0EtT0FFUCJ9.AA.AA.AA.AA", "..", "."])
    func `an encrypted or broken logout token is refused`(text: String) async throws {
        let world = try World()
        #expect(await world.postLogout(text).status == 400)
    }

    // SECURITY-CASES E27.
    @Test func `a logout asks the provider to revoke nothing`() async throws {
        let world = try World()
        _ = try await signedIn(world)
        let before = world.fake.requests
        #expect(await world.postLogout(token(world, claims(world))).status == 200)
        #expect(world.fake.requests == before)
    }

    @Test func `where the provider cannot be asked for keys the logout is told to come again`()
        async throws
    {
        let world = try World()
        world.fake.fail(with: .timeout)
        #expect(await world.postLogout(token(world, claims(world))).status == 503)
    }

    @Test func `where the records fail the session is over all the same`() async throws {
        let world = try World(records: ForgetfulRecords())
        var alice = try await signedIn(world)
        #expect(await world.postLogout(token(world, claims(world))).status == 503)
        #expect(try await alice.navigate(World.hub + "/").status == 302)
        #expect(world.ended.count == 1)
    }
}

/// Keeps everything and can remove nothing.
struct ForgetfulRecords: SessionRecords {
    struct Broken: Error {}

    func commit(_ session: Session) async throws {}
    func end(_ sessions: [Session]) async throws { throw Broken() }
}
