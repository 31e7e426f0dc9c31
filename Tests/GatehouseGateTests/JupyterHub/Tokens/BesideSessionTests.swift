import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// Tokens of JupyterHub that come with our cookie.
@Suite struct BesideSessionTests: HubSuite {
    let hub: FakeHub
    let world: World

    init() throws {
        hub = FakeHub()
        world = try World(hub: hub)
    }

    /// Signed in; the Hub calls the session `id`.
    private func signedIn(
        _ person: FakeProvider.Person, id: String?, in other: World? = nil
    ) async throws -> (Browser, Session) {
        let world = other ?? world
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: person)
        let cookie = try #require(browser.session())
        let bytes = Array(cookie.utf8)
        let found = world.gate.store.find(bytes.span, now: world.clock.instant)?.session
        let session = try #require(found)
        if let id {
            let place = PinSet.Place(name: HubCookie.sessionID, path: Array("/".utf8))
            let value = Array(id.utf8)
            _ = session.pin(place, value.span, by: .hub)
        }
        return (browser, session)
    }

    private static let alices = "0123456789abcdef"
    static let left: [[(String, String)]] = [
        [("Authorization", "token labs")], [("Authorization", "TOKEN labs")],
        [("Authorization", "Bearer labs")], [("Authorization", "bearer \t labs")],
        [("Authorization", "token\u{a0}labs\u{a0}")],
        [("Authorization", "Basic x"), ("Authorization", "token labs")],
        [("Authorization", "token labs"), ("Authorization", "")],
    ]
    static let stolen: [(String, [(String, String)])] = [
        ("/x?token=labs", [("Authorization", "token labs")]), ("/x?token=labs", []),
        ("/x?a=b&tok%65n=%6cabs", []), ("/x?token=+labs%00", []),
        ("/x?token=&token=labs", []), ("/x?a=1;token=labs", []), ("/x?token=%C2%85labs%", []),
    ]

    // SECURITY-CASES G06.
    @Test(arguments: BesideSessionTests.stolen)
    func `a token of another browser's session is worth nothing beside this one`(
        target: String, fields: [(String, String)]
    ) async throws {
        var (bob, _) = try await signedIn(World.bob, id: "fedcba")
        let (_, alice) = try await signedIn(World.alice, id: BesideSessionTests.alices)
        let upgrade = [
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Origin", World.hub),
            ("Sec-Fetch-Mode", "websocket"),
        ]
        for _ in 0..<2 {
            for more in [[], upgrade, Browser.navigation] {
                expectRefused(
                    try await bob.send("GET", World.hub + target, fields + more, route: route))
            }
            _ = try await world.gate.end([alice], .signOut)
        }
        #expect(hub.asked == ["labs"])
        #expect(world.log.contains { $0.hasPrefix("token_refused") && $0.contains("user=bob") })
        #expect(try await bob.send("GET", World.hub + "/x", route: route).passage != nil)
    }

    // SECURITY-CASES G06. A page that was open before this session began has it, for good.
    @Test(arguments: BesideSessionTests.left)
    func `of a page of another session the cookies count and its token stays here`(
        fields: [(String, String)]
    ) async throws {
        var (bob, session) = try await signedIn(World.bob, id: "fedcba")
        let (_, alice) = try await signedIn(World.alice, id: BesideSessionTests.alices)
        for method in ["GET", "PUT", "GET"] {
            let outcome = try await bob.send(method, World.hub + "/x", fields, route: route)
            let passage = try #require(outcome.passage)
            #expect(passage.session === session && passage.bearer == nil)
            #expect(passage.edits.dropsAuthorization)
            _ = try await world.gate.end([alice], .signOut)
        }
        let own = try await bob.send("GET", World.hub + "/x", route: route)
        #expect(own.passage?.edits.dropsAuthorization == false)
    }

    // SECURITY-CASES G06, G08.
    @Test(arguments: [
        "token labs, token labs", "token labs x", "Basic labs", "tokenlabs", "token", "labs",
        "token " + String(repeating: "a", count: 513),
    ])
    func `what JupyterHub takes for no token is none`(value: String) async throws {
        var (bob, _) = try await signedIn(World.bob, id: nil)
        let fields = [("Authorization", value)]
        #expect(try await bob.send("GET", World.hub + "/x", fields, route: route).passage != nil)
        #expect(hub.asked.isEmpty)
    }

    // SECURITY-CASES G06, G08.
    @Test func `JupyterLab's own token passes beside its session, and JupyterHub is asked once`()
        async throws
    {
        var (alice, session) = try await signedIn(World.alice, id: BesideSessionTests.alices)
        let fields = [("Authorization", "token labs")]
        for _ in 0..<3 {
            let outcome = try await alice.send(
                "GET", World.hub + "/user/alice/api/contents", fields, route: route)
            #expect(outcome.passage?.session === session)
            #expect(outcome.passage?.bearer == nil)
            world.clock.advance(by: .seconds(60))
        }
        let socket = [
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Origin", World.hub),
            ("Sec-Fetch-Mode", "websocket"),
        ]
        #expect(
            try await alice.send("GET", World.hub + "/x?token=labs", socket, route: route).passage
                != nil)
        // The lane goes by its own rule.
        expectRefused(await send("labs"))
        // JupyterHub is down, and there is another configuration.
        hub.fail(with: .unreachable)
        let old = world.gate.snapshot
        await world.gate.replace(old.options, provider: old.provider)
        #expect(try await alice.send("GET", World.hub + "/x", fields, route: route).passage != nil)
        #expect(hub.asked == ["labs", "labs"])
        _ = try await world.gate.end([session], .signOut)
        expectRefused(
            try await alice.send("GET", World.hub + "/x", fields, route: route), 401,
            "login_required")
    }

    // SECURITY-CASES G06.
    @Test func `after the Hub's own logout its cookie vouches for no other token`() async throws {
        var (alice, session) = try await signedIn(World.alice, id: BesideSessionTests.alices)
        session.unpin(
            PinSet.Place(name: HubCookie.sessionID, path: Array("/".utf8)), by: .hub)
        let fields = [("Authorization", "token labs")]
        func keepsToken() async throws -> Bool {
            let outcome = try await alice.send("GET", World.hub + "/x", fields, route: route)
            return try !#require(outcome.passage).edits.dropsAuthorization
        }
        #expect(try await !keepsToken())
        // A prefix does not change whose it is.
        let place = PinSet.Place(
            name: Array("__Host-jupyterhub-session-id".utf8), path: Array("/".utf8))
        let id = Array(BesideSessionTests.alices.utf8)
        _ = session.pin(place, id.span, by: .hub)
        #expect(try await keepsToken())
    }

    @Test(arguments: ["alices", "bobs", "services", "something-of-an-application"])
    func `a token of no session passes beside one, and two tokens do not`(
        token: String
    ) async throws {
        var (alice, session) = try await signedIn(World.alice, id: nil)
        let fields = [("Authorization", "Bearer \(token)")]
        for target in ["/x", "/x?token=\(token)"] {
            let outcome = try await alice.send("GET", World.hub + target, fields, route: route)
            #expect(outcome.passage?.session === session)
        }
        expectRefused(
            try await alice.send("GET", World.hub + "/x?token=other", fields, route: route))
        #expect(hub.asked == [token])
        // The rules are the session's.
        let path = World.hub + "/user/bob/x"
        #expect(try await alice.send("GET", path, fields, route: route).status == 403)
    }

    @Test func `nobody is asked about tokens on other routes and public paths`() async throws {
        var (bob, _) = try await signedIn(World.bob, id: nil)
        let fields = [("Authorization", "token labs")]
        let plain = RouteIdentity(identityHeaders: [])
        #expect(try await bob.send("GET", World.hub + "/x", fields, route: plain).passage != nil)
        #expect(hub.asked.isEmpty)
        let there = try await bob.send("GET", World.hub + "/x", fields, route: route)
        #expect(there.passage?.edits.dropsAuthorization == true && hub.asked == ["labs"])
    }

    // SECURITY-CASES G06, G08.
    @Test func `while JupyterHub cannot say, what nobody knows waits`() async throws {
        var (alice, _) = try await signedIn(World.alice, id: BesideSessionTests.alices)
        hub.fail(with: .timeout)
        let fields = [("Authorization", "token labs")]
        expectRefused(
            try await alice.send("GET", World.hub + "/x", fields, route: route), 503,
            "hub_unavailable")
        #expect(try await alice.send("GET", World.hub + "/x", route: route).passage != nil)
        hub.fail()
        #expect(try await alice.send("GET", World.hub + "/x", fields, route: route).passage != nil)
    }

    @Test func `a class behind one address opens its pages all at once`() async throws {
        var class_: [Browser] = []
        for number in 0..<60 {
            var person = World.alice
            (person.subject, person.sid) = ("s\(number)", "sid\(number)")
            class_.append(try await signedIn(person, id: "id\(number)").0)
            hub.know("t\(number)", FakeHub.model("u\(number)", session: "\"id\(number)\""))
        }
        for (number, browser) in class_.enumerated() {
            var browser = browser
            let fields = [("Authorization", "token t\(number)")]
            #expect(
                try await browser.send("GET", World.hub + "/x", fields, route: route).passage
                    != nil)
        }
        // One of them guesses.
        var (one, statuses) = (class_[0], [Int: Int]())
        for number in 0..<40 {
            let fields = [("Authorization", "token junk\(number)")]
            let status = try await one.send("GET", World.hub + "/x", fields, route: route).status
            statuses[status, default: 0] += 1
        }
        #expect(statuses == [200: 19, 429: 21])
    }

    @Test func `pages of many servers leave the Hub's cookies pinned`() async throws {
        var (alice, session) = try await signedIn(World.alice, id: BesideSessionTests.alices)
        for number in 0..<40 {
            let name = Array("jupyterhub-user-u\(number)".utf8)
            let server = PinSet.Setter(route: name, owner: name)
            _ = session.pin(PinSet.Place(name: name, path: [0x2F]), name.span, by: server)
        }
        let places = session.pinnedCookies
        #expect(places.hub.count + places.others.count == 32)
        let fields = [("Authorization", "token labs")]
        #expect(try await alice.send("GET", World.hub + "/x", fields, route: route).passage != nil)
    }
}
