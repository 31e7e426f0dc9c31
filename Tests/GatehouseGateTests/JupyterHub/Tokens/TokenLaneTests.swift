import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// Who goes to JupyterHub with a token and without a browser.
@Suite struct TokenLaneTests: HubSuite {
    let hub: FakeHub
    let world: World

    init() throws {
        hub = FakeHub()
        world = try World(hub: hub)
    }

    // SECURITY-CASES G08.
    @Test func `an API token of JupyterHub's passes, and JupyterHub is asked once in 30 s`()
        async throws
    {
        let first = await send("alices")
        #expect(first.passage?.bearer == .user("alice"))
        #expect(first.passage?.session == nil)
        world.clock.advance(by: .milliseconds(29_900))
        #expect(await send("alices", peer: "192.0.2.9").passage?.bearer == .user("alice"))
        #expect(hub.asked == ["alices"])
        world.clock.advance(by: .milliseconds(200))
        #expect(await send("alices").passage != nil)
        #expect(hub.asked == ["alices", "alices"])
        #expect(await send("services").passage?.bearer == .service("grader"))
        #expect(world.gate.store.count == 0)
    }

    // SECURITY-CASES G08, G10.
    @Test(arguments: ["labs", "junk"])
    func `a token of a browser's session, or one that nobody knows, is worth nothing`(
        token: String
    ) async throws {
        for fields in [[], Browser.navigation, [("Accept", "text/html")]] {
            expectRefused(await send(token, fields))
        }
        #expect(hub.asked == [token])
        world.clock.advance(by: .seconds(31))
        expectRefused(await send(token))
        #expect(hub.asked == [token, token])
        #expect(await send("alices").passage != nil)
    }

    // SECURITY-CASES G08.
    @Test func `a token that was revoked passes for 30 s at most`() async throws {
        #expect(await send("alices").passage != nil)
        hub.revoke("alices")
        world.clock.advance(by: .milliseconds(29_900))
        #expect(await send("alices").passage != nil)
        world.clock.advance(by: .milliseconds(200))
        expectRefused(await send("alices"))
        expectRefused(await send("alices"))
        #expect(hub.asked == ["alices", "alices"])
        #expect(await send("bobs").passage != nil)
    }

    // SECURITY-CASES G05, G09, G11, F07.
    @Test(arguments: [
        [("Authorization", "Bearer alices")], [("Authorization", "Basic YWxpY2U6YWxpY2Vz")],
        [("Authorization", "token  alices")], [("Authorization", "token\talices")],
        [("Authorization", "tokenalices")], [("Authorization", "token")],
        [("Authorization", "token alices, token alices")], [("Authorization", "token alices,x")],
        [("Authorization", "token alices x")], [("Authorization", "token \"alices\"")],
        [("Authorization", "token al\u{ef}ces")],
        [("Authorization", "token " + String(repeating: "a", count: 513))],
        [("Authorization", "token alices"), ("Authorization", "token alices")],
        [("Authorization", "token alices"), ("Authorization", "Basic YWxpY2U6YWxpY2Vz")],
        [("Proxy-Authorization", "token alices")], [("X-Authorization", "token alices")],
        [("Authorization", "alices")], [("Authorization", "")],
    ])
    func `every other form of credentials is no way in`(fields: [(String, String)]) async throws {
        let before = world.fake.requests
        expectRefused(await send(nil, fields), 401, "login_required")
        let upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
        expectRefused(await send(nil, fields + upgrade), 401, "login_required")
        #expect(hub.asked.isEmpty && world.fake.requests == before)
        #expect(await send(nil, [("Authorization", "TOKEN alices")]).passage != nil)
    }

    // SECURITY-CASES F07, G11.
    @Test(arguments: [
        "/x?token=alices", "/user/alice/api/kernels/k/channels?token=alices",
        "/x?access_token=alices",
    ])
    func `a token in the query is no way in`(target: String) async throws {
        expectRefused(await send(nil, target), 401, "login_required")
        let upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
        expectRefused(await send(nil, target, upgrade), 401, "login_required")
        #expect(hub.asked.isEmpty)
        #expect(await send("alices", target).passage != nil)
    }

    // SECURITY-CASES G06, G08.
    @Test(arguments: [
        "/x?token=labs", "/x?a=b&tok%65n=labs", "/x?token=alices&token=labs", "/x?token=",
        "/x?token=%ff",
    ])
    func `a token beside another one in the query is no way in`(target: String) async throws {
        expectRefused(await send("alices", target), 401, "login_required")
        #expect(hub.asked.isEmpty)
        #expect(await send("alices", "/x?token=alices&b=c").passage != nil)
    }

    // SECURITY-CASES G06, G08.
    @Test func `with our cookie the session's rules hold, and 401 after the logout`() async throws {
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let session = try #require(browser.session())
        let token = [("Authorization", "token bobs")]
        let alive = try await browser.send("GET", World.hub + "/x", token, route: route)
        #expect(alive.passage?.session?.username == "alice")
        #expect(alive.passage?.bearer == nil)
        #expect(
            try await browser.send("GET", World.hub + "/user/bob/x", token, route: route).status
                == 403)
        try await world.gate.end(world.gate.store.all, .signOut)
        expectRefused(
            try await browser.send("GET", World.hub + "/x", token, route: route), 401,
            "login_required")
        for cookie in [
            "__Host-Http-gatehouse=\(session)", "__Host-Http-gatehouse=x",
            "a=b; __Host-Http-gatehouse=",
            "__Host-Http-gatehouse-tx-AAAAAAAAAAA=x", "__host-http-gatehouse=x",
            "\"__Host-Http-gatehouse\"=x",
        ] {
            expectRefused(await send("bobs", [("Cookie", cookie)]), 401, "login_required")
            expectRefused(
                await send("bobs", [("Cookie", "a=b"), ("Cookie", cookie)]), 401, "login_required")
        }
        #expect(hub.asked == ["bobs"])
        #expect(await send("bobs", [("Cookie", "jupyterhub-session-id=x")]).passage != nil)
    }

    // SECURITY-CASES G08.
    @Test(arguments: [
        ("alices", "/x", 200), ("alices", "/admin/x", 403), ("alices", "/user/alice/x", 200),
        ("alices", "/user/bob/x", 403), ("bobs", "/user/bob/x", 200), ("alices", "/shut/x", 403),
        ("services", "/x", 200), ("services", "/user/grader/x", 403), ("services", "/admin/x", 403),
        ("alices", "/user/alice%2f..%2fbob/x", 403), ("alices", "/user/alice;/x", 403),
        ("alices", "/user/alice%252f..%252fbob/x", 403), ("alices", "/user//alice/x", 400),
        ("alices", "/user/%61lice/x", 200), ("alices", "/x/..%2fadmin/x", 400),
        ("alices", "/.gatehouse/session", 401),
    ])
    func `a token satisfies signed_in and path_user and no other rule`(
        token: String, target: String, status: Int
    ) async throws {
        let outcome = await send(token, target)
        #expect(outcome.status == status)
        #expect((outcome.passage != nil) == (status == 200))
        #expect(outcome.cookies.isEmpty && outcome.location == nil)
        #expect(await send("alices", "/pub/x").passage?.bearer == nil)
    }

    // SECURITY-CASES G08, G10.
    @Test func `no cookie goes along and none comes back, and no identity field is set`()
        async throws
    {
        let passage = try #require(await send("alices", Browser.navigation).passage)
        guard case .none = passage.edits.cookies else {
            Issue.record("cookies pass")
            return
        }
        #expect(passage.edits.set.isEmpty)
        #expect(passage.edits.identityNames.contains("x-forwarded-user"))
        #expect(passage.review.caching == .navigation)
        for line in ["jupyterhub-session-id=x; Path=/", "theirs=1", "_xsrf=2; Path=/hub/"] {
            #expect(
                passage.review.screen?.judge(setCookie: Array(line.utf8).span) == .dropped)
        }
        #expect(await send("alices").passage?.review.caching == .privateOnly)
    }

    // SECURITY-CASES F02.
    @Test(arguments: [[], [("Origin", "https://evil.example")], [("Sec-Fetch-Site", "cross-site")]])
    func `no cookie is at work, so nothing asks where a request comes from`(
        fields: [(String, String)]
    ) async throws {
        let upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
        #expect(await send("alices", "/user/alice/x", upgrade + fields).passage != nil)
        #expect(await send("alices", "/x", method: "POST", fields).passage != nil)
        expectRefused(await send("junk", "/user/alice/x", upgrade + fields))
    }

    @Test func `only where a route leads to JupyterHub, and somebody can sign in`() async throws {
        let plain = RouteIdentity(identityHeaders: [])
        expectRefused(await send("alices", route: plain), 401, "login_required")
        let without = try World()
        expectRefused(await send("alices", in: without), 401, "login_required")
        var request = RequestHead("GET", target: "/x", authority: "hub.example")
        request.fields.append(.authorization, "token alices")
        var memo = SessionMemo()
        let arrival = Arrival(peer: "192.0.2.1", isTLS: true, now: world.clock.instant)
        guard
            case .answer(let answer) = world.gate.decide(request, arrival, route: nil, memo: &memo)
        else {
            Issue.record("it passed or went elsewhere")
            return
        }
        expectRefused(Outcome(answer), 401, "login_required")
        #expect(hub.asked.isEmpty)
        #expect(await send("alices").passage != nil)
    }

    // SECURITY-CASES G07.
    @Test func `what one host's Hub has said holds for no other host`() async throws {
        #expect(await send("alices").passage != nil)
        #expect(await send("alices", host: World.grafana).passage != nil)
        #expect(hub.asked == ["alices", "alices"])
    }

    // SECURITY-CASES D18.
    @Test func `the audit names who and whence, and never the token`() async throws {
        for token in ["alices", "labs", "services", "junk-1234"] { _ = await send(token) }
        let lines = world.log.filter { $0.hasPrefix("token_lane") }
        #expect(
            lines == [
                "token_lane result=ok user=alice peer=192.0.2.1",
                "token_lane result=refused reason=session user=alice peer=192.0.2.1",
                "token_lane result=ok service=grader peer=192.0.2.1",
                "token_lane result=refused reason=unknown peer=192.0.2.1",
            ])
        hub.fail(with: .tls("self-signed"))
        _ = await send("junk-5678")
        for line in world.log {
            for token in ["alices", "labs", "services", "junk-"] { #expect(!line.contains(token)) }
        }
    }

    @Test func `other rules after the answer decide anew, and other settings ask anew`()
        async throws
    {
        var request = RequestHead("GET", target: "/x", authority: "hub.example")
        request.fields.append(.authorization, "token alices")
        let arrival = Arrival(peer: "192.0.2.1", isTLS: true, now: world.clock.instant)
        var memo = SessionMemo()
        let old = world.gate.snapshot
        guard case .ask(let question) = old.decide(request, arrival, route: route, memo: &memo)
        else {
            Issue.record("nobody was asked")
            return
        }
        var options = old.options
        options.access = [AccessRule(pattern: try #require(PathPattern("/**")), allow: .group("g"))]
        await world.gate.replace(options, provider: old.provider)
        let answer = await question.answer()
        guard
            case .ask(let other) = world.gate.decide(
                request, arrival, route: route, answer: answer, memo: &memo)
        else {
            Issue.record("an answer to other settings was taken")
            return
        }
        guard
            case .answer(let refusal) = world.gate.decide(
                request, arrival, route: route, answer: await other.answer(), memo: &memo)
        else {
            Issue.record("it passed")
            return
        }
        #expect(Outcome(refusal).status == 403)
        #expect(hub.asked == ["alices", "alices"])
        #expect(!world.gate.snapshot.stillAllows(request, nil, .user("alice")))
        #expect(old.stillAllows(request, nil, .user("alice")))
        #expect(!old.stillAllows(request, nil))
    }
}
