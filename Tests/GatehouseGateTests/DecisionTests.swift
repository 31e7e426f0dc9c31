import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct DecisionTests {
    private func get(_ world: World, _ target: String, _ fields: [(String, String)] = [])
        async throws -> Outcome
    {
        var browser = Browser(world)
        return try await browser.send("GET", World.hub + target, fields)
    }

    // SECURITY-CASES A01, A05, A06, A07, A08, A18.
    @Test(arguments: [
        "/private?x=/pub/ok", "/pub%2f..%2fprivate", "/private;.css", "//private", "/%70rivate",
        "/PRIVATE", "/private%23/pub/x", "/public", "/metrics",
    ])
    func `a private path needs a session however it is written`(target: String) async throws {
        let world = try World()
        let script = try await get(world, target, [("User-Agent", "kube-probe/1.30")])
        #expect(script.status == 401)
        #expect(script.cookies.isEmpty)
        #expect(script.field("x-gatehouse-login") == World.hub + "/.gatehouse/login")
        #expect(script.body.contains(#""error":"login_required""#))
        #expect(try await get(world, target, Browser.navigation).status == 302)
        #expect(try await get(world, "/pub/ok").passage != nil)
    }

    @Test func `who sends a form without a session reads so on a page`() async throws {
        let world = try World()
        var browser = Browser(world)
        let form = Browser.navigation + [("Origin", World.hub)]
        let answer = try await browser.send("POST", World.hub + "/private", form, body: "a=1")
        guard case .notSignedIn(let signIn)? = answer.page else {
            Issue.record("no page")
            return
        }
        #expect(answer.status == 401 && signIn == World.hub + "/.gatehouse/login")
        #expect(answer.field("x-gatehouse-login") == signIn)
        #expect(answer.field("www-authenticate") == "Gatehouse")
        #expect(try await browser.navigate(signIn).status == 302)
        let script = try await browser.send("POST", World.hub + "/private", Browser.script)
        #expect(script.page == nil && script.body.contains(#""error":"login_required""#))
    }

    // SECURITY-CASES A03, A04, A05, A06, A09.
    @Test(arguments: [
        "/pub/../private", "/pub/%2e%2e/private", "/pub/.%2e/private", "/pub/..%2fprivate",
        "/pub/%2e%2e%2fprivate", "/pub/..%5cprivate", "/pub/%252e%252e%252fprivate",
        "/pub;x=1/../private", "/pub;x=1/y", "/./private", "/private/.", "/admin%00/pub",
        "/%zz", "/%ff",
    ])
    func `a path that cannot be trusted is refused`(target: String) async throws {
        let world = try World()
        #expect(try await get(world, target).status == 400)
        #expect(try await get(world, "/pub/ok").passage != nil)
    }

    // SECURITY-CASES A10.
    @Test(arguments: [("POST", 401), ("get", 401), ("FROB", 401), ("TRACE", 405)])
    func `a rule for GET is for GET`(method: String, status: Int) async throws {
        let world = try World()
        var browser = Browser(world)
        #expect(try await browser.send(method, World.hub + "/pub/x").status == status)
    }

    // SECURITY-CASES A12, A13.
    @Test(arguments: ["HUB.EXAMPLE", "hub.example.", "hub.example:443", "Hub.Example.:443"])
    func `a host is the same in every spelling`(host: String) async throws {
        let world = try World()
        var browser = Browser(world)
        #expect(try await browser.send("GET", "https://\(host)/pub/x").passage != nil)
    }

    // SECURITY-CASES A13.
    @Test(arguments: [
        "evil.example", "hub.example:8443", "hub.example.evil", "hub", "hub.example:",
    ])
    func `another host gets 421 and no cookie`(host: String) async throws {
        let world = try World()
        var browser = Browser(world)
        let answer = try await browser.send("GET", "https://\(host)/", Browser.navigation)
        #expect(answer.status == 421)
        #expect(answer.location == nil && answer.cookies.isEmpty)
    }

    // SECURITY-CASES A21, D19.
    @Test(arguments: [
        "/.gatehouse", "/.gatehouse/", "/.gatehouse/sessions", "/.gatehouse/metrics",
        "/.gatehouse%2flogin", "/x/..%2f.gatehouse/login", "//.gatehouse/login",
        "/.gatehouse/login/", "/.gatehouse;x/login",
    ])
    func `an unknown address of ours is never forwarded`(target: String) async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        #expect(try await browser.navigate(World.hub + target).status == 404)
    }

    @Test(arguments: ["/.gatehouse/healthz", "/_chp_healthz"])
    func `health answers before host and TLS`(target: String) async throws {
        let world = try World()
        var browser = Browser(world)
        let answer = try await browser.send("GET", "https://10.0.0.9\(target)", isTLS: false)
        #expect(answer.status == 200)
        #expect(answer.body == #"{"status":"OK"}"#)
    }

    // SECURITY-CASES A23.
    @Test func `what no rule names is shut, with and without session`() async throws {
        let pub = try #require(PathPattern("/pub/**"))
        let world = try World(access: [AccessRule(pattern: pub, allow: .anyone)])
        #expect(try await get(world, "/x", Browser.navigation).status == 403)
        let shut = try World()
        #expect(try await get(shut, "/shut/x", Browser.navigation).status == 403)
    }

    @Test func `a group opens what it may and bob's path is bob's`() async throws {
        let world = try World()
        var alice = Browser(world)
        try await alice.signIn(at: World.hub + "/", as: World.alice)
        var bob = Browser(world)
        try await bob.signIn(at: World.hub + "/", as: World.bob)
        #expect(try await alice.navigate(World.hub + "/admin/x").status == 403)
        #expect(try await bob.navigate(World.hub + "/admin/x").passage != nil)
        let denied = try await bob.navigate(World.hub + "/user/alice/lab")
        guard case .denied("bob")? = denied.page else {
            Issue.record("not the page that says who bob is")
            return
        }
        #expect(try await bob.navigate(World.hub + "/user/bob/lab").passage != nil)
        #expect(try await bob.navigate(World.hub + "/user/%62ob/lab").passage != nil)
        #expect(try await alice.navigate(World.hub + "/user/alice/lab").passage != nil)
        let script = try await bob.send("GET", World.hub + "/user/alice/api", Browser.script)
        #expect(script.status == 403 && script.body == #"{"error":"denied"}"#)
    }

    // SECURITY-CASES D05.
    @Test func `without TLS a navigation is redirected and nothing else is served`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let page = [("Accept", "text/html")]
        let moved = try await browser.send("GET", World.hub + "/a?b", page, isTLS: false)
        #expect(moved.status == 307 && moved.location == World.hub + "/a?b")
        #expect(moved.field("cache-control") == "no-store")
        #expect(try await browser.send("GET", World.hub + "/a", isTLS: false).status == 421)
        #expect(try await browser.send("POST", World.hub + "/a", page, isTLS: false).status == 421)
        for name in ["X-Forwarded-Proto", "X_Forwarded_For", "CF-Connecting-IP"] {
            let stranger = try await browser.send(
                "GET", World.hub + "/a", page + [(name, "https")], isTLS: false)
            guard case .untrustedFront(let peer, _)? = stranger.page else {
                Issue.record("no page that names front.trusted")
                return
            }
            #expect(stranger.status == 400 && peer == "192.0.2.1")
        }
    }

    // SECURITY-CASES F01, F02, F03, F04.
    @Test(arguments: [
        (World.hub, true), (nil, false), ("null", false), ("https://evil.example", false),
        ("https://hub.example.evil", false), ("http://hub.example", false),
        ("https://hub.example:8443", false), ("https://a.hub.example", false),
        (World.grafana, false),
    ])
    func `an upgrade needs the very origin`(origin: String?, passes: Bool) async throws {
        let world = try World()
        var browser = Browser(world)
        var fields = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
        if let origin { fields.append(("Origin", origin)) }
        let stranger = try await browser.send("GET", World.hub + "/ws", fields)
        #expect(stranger.status == 401 && stranger.cookies.isEmpty)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let answer = try await browser.send("GET", World.hub + "/ws", fields)
        #expect((answer.passage != nil) == passes)
        if !passes { #expect(answer.status == 403) }
    }

    @Test func `an upgrade to something else is a request like any other`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let fields = [("Upgrade", "h2c"), ("Connection", "Upgrade, HTTP2-Settings")]
        #expect(try await browser.send("GET", World.hub + "/x", fields).passage != nil)
        let both = [("Upgrade", "h2c, websocket"), ("Connection", "Upgrade")]
        #expect(try await browser.send("GET", World.hub + "/x", both).status == 403)
    }

    // A service worker takes the destination away; a frame and a script keep theirs.
    @Test func `a navigation that a service worker hands on leads where every other does`()
        async throws
    {
        let world = try World()
        var browser = Browser(world)
        func ask(_ path: String, mode: String, dest: String) async throws -> Outcome {
            try await browser.send(
                "GET", World.hub + path,
                [
                    ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest),
                    ("Sec-Fetch-Site", "same-origin"), ("Accept", "text/html,*/*"),
                ])
        }
        for path in ["/private", "/.gatehouse/login?rd=/private"] {
            #expect(try await ask(path, mode: "navigate", dest: "empty").status == 302)
        }
        #expect(try await ask("/private", mode: "navigate", dest: "iframe").status == 401)
        #expect(try await ask("/private", mode: "same-origin", dest: "empty").status == 401)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let logout = try await ask("/.gatehouse/logout", mode: "navigate", dest: "empty")
        guard case .confirmLogout? = logout.page else {
            Issue.record("no question: \(logout.status)")
            return
        }
        #expect(logout.status == 200)
    }

    // SECURITY-CASES F10.
    @Test(arguments: [
        ([("Sec-Fetch-Site", "cross-site")], false),
        ([("Origin", "https://evil.example")], false), ([("Origin", "null")], false),
        ([("Origin", World.grafana), ("Sec-Fetch-Site", "same-site")], false),
        ([("Origin", "null"), ("Sec-Fetch-Site", "same-origin")], true),
        ([("Origin", World.hub)], true), ([], true),
    ])
    func `another site posts nothing in a user's name`(
        fields: [(String, String)], passes: Bool
    ) async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let answer = try await browser.send("POST", World.hub + "/x", fields)
        #expect((answer.passage != nil) == passes)
        #expect(try await browser.send("GET", World.hub + "/x", fields).passage != nil)
    }

    // SECURITY-CASES C28, C29, D01, D02, D03, D17.
    @Test func `only the one whole cookie of this host opens a session`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let good = try #require(browser.session())
        let name = "__Host-Http-gatehouse"
        #expect(try await get(world, "/x", [("Cookie", "\(name)=\(good)")]).passage != nil)
        let flipped = String(good.dropLast()) + (good.hasSuffix("A") ? "B" : "A")
        let bad = [
            "\(name)=\(good); \(name)=\(good)", "\(name)=\(good); \(name)=x", "\(name)=",
            "\(name)=\(flipped)", "\(name)=\(good.dropLast())", "\(name)=\(good)x",
            "__host-http-gatehouse=\(good)", "\(name)=\"\(good)\"",
            "\(name)=" + String(repeating: "x", count: 66),
        ]
        for cookie in bad {
            #expect(try await get(world, "/x", [("Cookie", cookie)]).status == 401, "\(cookie)")
        }
        var other = Browser(world)
        let elsewhere = try await other.send(
            "GET", World.grafana + "/x", [("Cookie", "\(name)=\(good)")])
        #expect(elsewhere.status == 401)
    }

    // SECURITY-CASES D03.
    @Test func `limits of time are the server's`() async throws {
        let world = try World(
            session: SessionLimits(idle: .seconds(600), absolute: .seconds(1500)))
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        world.clock.advance(by: .seconds(599))
        #expect(try await browser.navigate(World.hub + "/").passage != nil)
        world.clock.advance(by: .seconds(599))
        #expect(try await browser.navigate(World.hub + "/").passage != nil)
        world.clock.advance(by: .seconds(400))
        #expect(try await browser.navigate(World.hub + "/").status == 302)
        await world.gate.endExpired()
        #expect(world.ended.map(\.1) == [.absolute])
        #expect(world.gate.store.count == 0)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        world.clock.advance(by: .seconds(600))
        #expect(try await browser.navigate(World.hub + "/").status == 302)
        await world.gate.endExpired()
        #expect(world.ended.map(\.1) == [.absolute, .idle])
    }

    @Test func `the session endpoint tells no token and is no activity`() async throws {
        let world = try World()
        var browser = Browser(world)
        let url = World.hub + "/.gatehouse/session"
        #expect(try await browser.send("GET", url, Browser.script).status == 401)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        world.clock.advance(by: .seconds(60))
        let answer = try await browser.send("GET", url, Browser.script)
        #expect(answer.body.contains(#""idle_seconds":3540"#))
        #expect(answer.body.contains(#""user":"alice""#))
        #expect(!answer.body.contains(try #require(browser.session())))
        #expect(!answer.body.contains("sid-a"))
    }

    @Test func `a page is not to be kept, by a link or by a form, and other answers may be`()
        async throws
    {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let document = [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]
        // By a service worker that hands it on.
        let handedOn = [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "empty")]
        let script = [("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")]
        for (method, fields, caching) in [
            ("GET", document, ResponseReview.Caching.navigation), ("POST", document, .navigation),
            ("GET", handedOn, .navigation), ("POST", handedOn, .navigation),
            ("GET", script, .privateOnly), ("POST", script, .privateOnly),
        ] {
            let answer = try await browser.send(
                method, World.hub + "/page",
                fields + [("Sec-Fetch-Site", "same-origin"), ("Origin", World.hub)])
            #expect(answer.passage?.review.caching == caching, "\(method) \(fields)")
        }
    }

    @Test func `a connection remembers its session until something changes`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        var request = RequestHead("GET", target: "/x", authority: "hub.example")
        request.fields.append(.cookie, "__Host-Http-gatehouse=\(try #require(browser.session()))")
        var memo = SessionMemo()
        func passes() -> Bool {
            let arrival = Arrival(peer: "p", isTLS: true, now: world.clock.instant)
            if case .pass(let passage) = world.gate.decide(
                request, arrival, route: nil, memo: &memo)
            {
                return passage.session != nil
            }
            return false
        }
        #expect(passes() && passes())
        // A login in another tab replaces the id; the old one is good for a minute, also here.
        var other = Browser(world)
        try await other.signIn(at: World.hub + "/", as: World.alice)
        #expect(passes())
        world.clock.advance(by: .seconds(61))
        #expect(!passes())
        // Rules that change hold for the next request.
        request = RequestHead("GET", target: "/x", authority: "hub.example")
        request.fields.append(.cookie, "__Host-Http-gatehouse=\(try #require(other.session()))")
        #expect(passes())
        var options = world.gate.snapshot.options
        let session = try #require(world.gate.store.all.first)
        #expect(world.gate.snapshot.stillAllows(request, session))
        options.access = [
            AccessRule(pattern: try #require(PathPattern("/**")), allow: .user("bob"))
        ]
        await world.gate.replace(options, provider: world.gate.snapshot.provider)
        #expect(!passes())
        #expect(!world.gate.snapshot.stillAllows(request, session))
    }

    // SECURITY-CASES B16.
    @Test func `answers of private rules are nobody else's to keep`() async throws {
        let world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let page = try await browser.navigate(World.hub + "/x")
        #expect(page.passage?.review.caching == .navigation)
        let script = try await browser.send("GET", World.hub + "/x", Browser.script)
        #expect(script.passage?.review.caching == .privateOnly)
        let open = try await browser.navigate(World.hub + "/pub/x")
        #expect(open.passage?.review.caching == .unchanged)
        // SECURITY-CASES B03: no identity there, and client's names are removed all the same.
        #expect(open.passage?.edits.set.isEmpty == true)
        #expect(
            open.passage?.edits.identityNames.contains(Array("x_forwarded.USER".utf8).span) == true)
    }

    @Test func `without a provider nobody is asked and private paths are shut`() throws {
        let keys = GateKeys.random()
        let store = SessionStore(indexKey: keys.index)
        let gate = Gate(
            options: Gate.Options(publicURLs: [], access: try World.rules()), keys: keys,
            store: store, records: MemoryRecords(), provider: nil, log: .none, onEnd: { _, _ in })
        var memo = SessionMemo()
        let arrival = Arrival(peer: "p", isTLS: false, now: Instant(nanoseconds: 1))
        let open = RequestHead("GET", target: "/pub/x", authority: "any")
        guard case .pass = gate.decide(open, arrival, route: nil, memo: &memo) else {
            Issue.record("a public path is served")
            return
        }
        let shut = RequestHead("GET", target: "/x", authority: "any")
        guard case .answer(let answer) = gate.decide(shut, arrival, route: nil, memo: &memo) else {
            Issue.record("a private path is shut")
            return
        }
        #expect(Outcome(answer).status == 403)
    }
}
