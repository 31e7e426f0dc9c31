import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// `/hub/logout` ends everything where a person meant it, and nothing where none did.
@Suite struct HubLogoutTests {
    private let world: World
    private var browser: Browser
    private let route = RouteIdentity(identityHeaders: [], hub: HubPreset(baseURL: "/"))

    private static let url = World.hub + "/hub/logout"
    private static let button = [
        ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-User", "?1"), ("Accept", "text/html"),
    ]

    private static let server = PinSet.Setter(
        route: Array("/user/alice".utf8), owner: Array("user/alice".utf8))

    init() async throws {
        world = try World()
        browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
    }

    private mutating func ask(
        _ fields: [(String, String)], method: String = "GET", url: String = HubLogoutTests.url
    ) async throws -> Outcome {
        try await browser.send(method, url, fields, route: route, prefix: "/")
    }

    /// Follows the answer that takes the place of the Hub's.
    private mutating func follow(_ outcome: Outcome) async throws -> Outcome {
        let substitute = try #require(outcome.passage?.substitute)
        #expect(substitute.response.head.status == 303)
        #expect(substitute.patience == .seconds(2))
        let location = try #require(substitute.response.head.fields.text(.location))
        #expect(location.hasPrefix("/.gatehouse/logout?token="))
        return try await browser.send("GET", World.hub + location, HubLogoutTests.button)
    }

    @Test(arguments: ["GET", "POST"])
    mutating func `the Hub is asked, and then everything ends`(method: String) async throws {
        let fields =
            HubLogoutTests.button + (method == "POST" ? [("Origin", World.hub)] : [])
        let outcome = try await ask(fields, method: method)
        guard case .screened? = outcome.passage?.edits.cookies else { throw World.Missing() }
        #expect(world.ended.isEmpty)
        let end = try await follow(outcome)
        #expect(end.status == 302)
        #expect(end.location?.hasPrefix(FakeProvider.issuer) == true)
        #expect(world.ended.map(\.1) == [.signOut])
    }

    @Test
    mutating func
        `who does not come on is out all the same, and who comes late gets to the provider`()
        async throws
    {
        let outcome = try await ask(HubLogoutTests.button)
        let session = try #require(outcome.passage?.session)
        await world.gate.endUnfollowed(session)
        #expect(world.ended.map(\.1) == [.signOut])
        let end = try await follow(outcome)
        #expect(end.location?.hasPrefix(FakeProvider.issuer + "/logout?id_token_hint=") == true)
        #expect(browser.session() == nil)
        await world.gate.endUnfollowed(session)
        #expect(world.ended.count == 1)
    }

    @Test mutating func `the browser forgets the Hub's cookies, each on its path`() async throws {
        let session = try #require(world.gate.store.all.first)
        for (name, path) in [
            ("jupyterhub-hub-login", "/hub/"), ("jupyterhub-user-alice", "/user/alice/"),
        ] {
            let value = Array("v".utf8)
            _ = session.pin(
                PinSet.Place(name: Array(name.utf8), path: Array(path.utf8)), value.span,
                by: path == "/hub/" ? .hub : HubLogoutTests.server)
        }
        let end = try await follow(try await ask(HubLogoutTests.button))
        for line in [
            "jupyterhub-hub-login=; Max-Age=0; Path=/hub/",
            "jupyterhub-user-alice=; Max-Age=0; Path=/user/alice/",
            "_xsrf=; Max-Age=0; Path=/", "_xsrf=; Max-Age=0; Path=/hub/",
            "_xsrf=; Max-Age=0; Path=/user/alice/",
        ] {
            #expect(end.cookies.contains(line), "\(line)")
        }
    }

    /// JupyterLab's menu leads to the server's own log out, which removes the server's own cookie.
    @Test mutating func `what stood beside a cookie that a server has removed is forgotten too`()
        async throws
    {
        let session = try #require(world.gate.store.all.first)
        let place = PinSet.Place(
            name: Array("jupyterhub-user-alice".utf8), path: Array("/user/alice/".utf8))
        _ = session.pin(place, Array("v".utf8).span, by: HubLogoutTests.server)
        session.unpin(place, by: HubLogoutTests.server)
        let end = try await follow(try await ask(HubLogoutTests.button))
        #expect(end.cookies.contains { $0.hasPrefix("_xsrf=; Max-Age=0; Path=/user/alice/") })
    }

    @Test(arguments: [
        [("Sec-Fetch-Site", "none")], [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-site")], [],
    ])
    mutating func `who types it, or comes from elsewhere, is asked first`(
        site: [(String, String)]
    ) async throws {
        let fields =
            [("Accept", "text/html")]
            + (site.isEmpty
                ? [] : [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")])
        let outcome = try await ask(site + fields, url: HubLogoutTests.url + "?x=1")
        #expect(outcome.status == 200)
        guard case .confirmHubLogout(let name, let link)? = outcome.page else {
            throw World.Missing()
        }
        #expect(name == "alice")
        #expect(world.ended.isEmpty)
        // The button: a browser that says nothing is believed for the token's sake.
        let pressed = try await ask(fields, url: HubLogoutTests.url + link + "&x=1")
        #expect(pressed.passage?.edits.target == Array("/hub/logout?x=1".utf8))
        #expect(try await follow(pressed).status == 302)
        #expect(world.ended.count == 1)
    }

    // The path is the visitor's, and `//hub/logout` would be another host.
    @Test(arguments: ["//hub/logout", "/hub/%6cogout", "///hub//logout/", "/hub/logout/?a=b"])
    mutating func `the button leads to the address of the page itself`(path: String) async throws {
        let outcome = try await ask([("Accept", "text/html")], url: World.hub + path)
        guard case .confirmHubLogout(_, let link)? = outcome.page else { return }
        #expect(link.hasPrefix("?gatehouse_logout="))
    }

    @Test mutating func `a token of another session, an old one and two of them ask again`()
        async throws
    {
        let plain = [("Accept", "text/html")]
        let outcome = try await ask(plain)
        guard case .confirmHubLogout(_, let link)? = outcome.page else { throw World.Missing() }
        var bob = Browser(world)
        try await bob.signIn(at: World.hub + "/", as: World.bob)
        let foreign = try await bob.send(
            "GET", HubLogoutTests.url + link, plain, route: route, prefix: "/")
        #expect(foreign.passage == nil)
        let token = link.split(separator: "=")[1]
        let twice = try await ask(
            plain, url: HubLogoutTests.url + link + "&gatehouse_logout=\(token)")
        #expect(twice.passage == nil)
        world.clock.advance(by: .seconds(302))
        #expect(try await ask(plain, url: HubLogoutTests.url + link).passage == nil)
        #expect(world.ended.isEmpty)
    }

    @Test(arguments: [
        [
            ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors"),
            ("Sec-Fetch-Dest", "image"),
        ],
        [("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")],
        [
            ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", "iframe"),
        ],
        button + [("Sec-Purpose", "prefetch")], button + [("Purpose", "prefetch")],
        [("Accept", "image/*")],
    ])
    mutating func `a picture, a frame of another site and a prefetch end nothing`(
        fields: [(String, String)]
    ) async throws {
        let outcome = try await ask(fields)
        #expect(outcome.status == 403)
        #expect(outcome.passage == nil)
        #expect(world.ended.isEmpty)
    }

    @Test mutating func `a form of another site is refused`() async throws {
        let outcome = try await ask(
            [
                ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"),
                ("Sec-Fetch-Dest", "document"), ("Origin", "https://evil.example"),
                ("Accept", "text/html"),
            ], method: "POST")
        #expect(outcome.passage == nil)
        #expect(world.ended.isEmpty)
    }

    @Test(arguments: [
        ("GET", "empty"), ("GET", "iframe"), ("POST", "empty"),
    ])
    mutating func `a script or a frame of this origin asks the Hub itself`(
        method: String, dest: String
    ) async throws {
        let outcome = try await ask(
            [
                ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Dest", dest),
                ("Sec-Fetch-Mode", dest == "iframe" ? "navigate" : "cors"),
                ("Origin", World.hub),
            ], method: method)
        #expect(outcome.passage != nil)
        #expect(outcome.passage?.substitute == nil)
    }

    @Test mutating func `other methods are the Hub's`() async throws {
        for method in ["PUT", "DELETE", "HEAD"] {
            let outcome = try await ask(
                HubLogoutTests.button + [("Origin", World.hub)], method: method)
            #expect(outcome.passage != nil && outcome.passage?.substitute == nil)
        }
    }

    @Test(arguments: [
        ("HEAD", "/hub/logout"), ("PUT", "/hub/logout"), ("GET", "/hub/home"), ("GET", "/pub/x"),
        ("GET", "/user/alice/lab"),
    ])
    mutating func `nobody else sees the token, also where it logs nobody out`(
        method: String, path: String
    ) async throws {
        guard
            case .confirmHubLogout(_, let link)? = try await ask([("Accept", "text/html")]).page
        else { throw World.Missing() }
        let token = link.split(separator: "=")[1]
        let fields = Browser.script + [("Origin", World.hub)]
        for route in [route, RouteIdentity(identityHeaders: [])] {
            let outcome = try await browser.send(
                method, "\(World.hub)\(path)?a=1&gatehouse_logout=\(token)&b", fields,
                route: route, prefix: "/")
            #expect(outcome.passage?.edits.target == Array("\(path)?a=1&b".utf8))
            #expect(outcome.passage != nil && outcome.passage?.substitute == nil)
            let bare = try await browser.send(
                method, "\(World.hub)\(path)?gatehouse_logout", fields, route: route, prefix: "/")
            #expect(bare.passage?.edits.target == Array(path.utf8))
            let other = try await browser.send(
                method, "\(World.hub)\(path)?gatehouse_logouts=1&x=gatehouse_logout=", fields,
                route: route, prefix: "/")
            #expect(other.passage != nil && other.passage?.edits.target == nil)
        }
        // An old one, as a script asks with it.
        world.clock.advance(by: .seconds(302))
        let old = try await ask(fields, url: HubLogoutTests.url + link)
        #expect(old.passage?.edits.target == Array("/hub/logout".utf8))
        #expect(world.ended.isEmpty)
    }

    @Test mutating func `who is not signed in is not sent to sign in for it`() async throws {
        var stranger = Browser(world)
        let outcome = try await stranger.send(
            "GET", HubLogoutTests.url, HubLogoutTests.button, route: route, prefix: "/")
        #expect(outcome.status == 303)
        #expect(outcome.location == "/.gatehouse/logout")
        let script = try await stranger.send(
            "GET", HubLogoutTests.url, Browser.script, route: route, prefix: "/")
        #expect(script.status == 401)
    }

    @Test mutating func `on a route without the preset it is a path as any other`() async throws {
        let outcome = try await browser.send(
            "GET", HubLogoutTests.url, HubLogoutTests.button,
            route: RouteIdentity(identityHeaders: []), prefix: "/")
        #expect(outcome.passage != nil && outcome.passage?.substitute == nil)
    }

    @Test mutating func `who signs in as somebody else loses the cookies of the one before`()
        async throws
    {
        let session = try #require(world.gate.store.all.first)
        let value = Array("v".utf8)
        _ = session.pin(
            PinSet.Place(name: Array("jupyterhub-hub-login".utf8), path: Array("/hub/".utf8)),
            value.span, by: .hub)
        let start = try await browser.send(
            "GET", World.hub + "/.gatehouse/login?rd=/", Browser.navigation)
        // With a session the login is over at once; a callback of another tab goes on.
        #expect(start.status == 302)
        var other = Browser(world)
        let fresh = try await other.navigate(World.hub + "/")
        browser.jars["hub.example", default: []] += other.jars["hub.example"] ?? []
        let end = try await browser.navigate(try world.fake.callback(fresh, as: World.bob))
        #expect(world.ended.map(\.1) == [.switchedUser])
        #expect(
            end.cookies.contains {
                $0.hasPrefix("jupyterhub-hub-login=; Max-Age=0; Path=/hub/")
            })
    }
}
