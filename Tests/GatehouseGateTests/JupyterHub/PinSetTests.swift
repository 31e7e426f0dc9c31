import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// Who may push whose cookies out of a session's pins, and what a log out makes of them.
@Suite struct PinSetTests {
    private static let button = [
        ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-User", "?1"), ("Accept", "text/html"),
    ]

    private let preset = HubPreset(baseURL: "/")
    private let world: World
    private var alice: Browser

    init() async throws {
        // Whoever is signed in may enter, as where servers are shared.
        world = try World(access: [
            AccessRule(pattern: try #require(PathPattern("/**")), allow: .signedIn)
        ])
        alice = Browser(world)
        try await alice.signIn(at: World.hub + "/", as: World.alice)
    }

    /// What a route's upstream sets.
    private mutating func set(_ prefix: String, _ lines: String...) async throws {
        let screen = try await screen(prefix)
        for line in lines {
            let bytes = Array(line.utf8)
            #expect(screen.judge(setCookie: bytes.span) != .dropped, "\(line)")
        }
    }

    private mutating func screen(_ prefix: String) async throws -> any CookieScreen {
        let outcome = try await alice.send(
            "GET", World.hub + prefix, Browser.script,
            route: RouteIdentity(identityHeaders: [], hub: preset), prefix: prefix)
        return try #require(outcome.passage?.review.screen)
    }

    private mutating func expect(
        _ name: String, _ value: String, passesTo prefix: String, _ passes: Bool = true
    ) async throws {
        let (bytes, text) = (Array(name.utf8), Array(value.utf8))
        let found = try await screen(prefix).passes(name: bytes.span, value: text.span)
        #expect(found == passes, "\(name)=\(value) to \(prefix)")
    }

    private mutating func setHub() async throws {
        try await set(
            "/", "jupyterhub-hub-login=h; Path=/hub/", "jupyterhub-session-id=s; Path=/")
    }

    /// The Set-Cookie lines of a whole log out, and all its fields' bytes.
    private mutating func signOut() async throws -> (cookies: [String], bytes: Int) {
        let session = try #require(world.gate.store.all.first)
        let token = world.gate.logoutToken(for: session)
        let end = try await alice.send(
            "GET", World.hub + "/.gatehouse/logout?token=" + token, Self.button)
        #expect(end.status == 302)
        let location = try #require(end.location)
        // `Location: `, `Cache-Control: no-store`, and each with its line's end.
        let others = location.utf8.count + 12 + 25
        return (end.cookies, end.cookies.reduce(others) { $0 + $1.utf8.count + 14 })
    }

    // SECURITY-CASES I12.
    @Test mutating func `a user's server crowds out no cookies but its own`() async throws {
        try await setHub()
        try await set("/user/alice", "jupyterhub-user-alice=a; Path=/user/alice/")
        for number in 0..<40 {
            try await set(
                "/user/eve", "jupyterhub-user-eve=\(number % 3); Path=/user/eve/\(number)")
        }
        try await expect("jupyterhub-hub-login", "h", passesTo: "/")
        try await expect("jupyterhub-session-id", "s", passesTo: "/user/eve")
        try await expect("jupyterhub-user-alice", "a", passesTo: "/user/alice")
        try await expect("jupyterhub-user-eve", "0", passesTo: "/user/eve")
        let places = try #require(world.gate.store.all.first).pinnedCookies
        #expect(places.hub.count == 2 && places.others.count == 1 + 8)
        let cookies = try await signOut().cookies
        for line in [
            "jupyterhub-hub-login=; Max-Age=0; Path=/hub/",
            "jupyterhub-session-id=; Max-Age=0; Path=/",
            "jupyterhub-user-alice=; Max-Age=0; Path=/user/alice/",
            "jupyterhub-user-eve=; Max-Age=0; Path=/user/eve/39",
        ] {
            #expect(cookies.contains { $0.hasPrefix(line) }, "\(line)")
        }
        #expect(!cookies.contains { $0.contains("/user/eve/31") })
    }

    // SECURITY-CASES I12.
    @Test mutating func `the many servers of one user crowd out nobody else's cookies`()
        async throws
    {
        try await setHub()
        try await set("/services/files", "service-files=f; Path=/services/files/")
        for name in ["", "/one", "/two"] {
            let cookie = "jupyterhub-user-alice" + name.replacing("/", with: "-")
            try await set("/user/alice\(name)", "\(cookie)=a; Path=/user/alice\(name)/")
        }
        for number in 0..<60 {
            try await set(
                "/user/eve/\(number)",
                "jupyterhub-user-eve-\(number)=e; Path=/user/eve/\(number)/")
        }
        try await expect("jupyterhub-hub-login", "h", passesTo: "/")
        try await expect("service-files", "f", passesTo: "/services/files")
        try await expect("jupyterhub-user-alice", "a", passesTo: "/user/alice")
        try await expect("jupyterhub-user-alice-one", "a", passesTo: "/user/alice/one")
        try await expect("jupyterhub-user-alice-two", "a", passesTo: "/user/alice/two")
        try await expect("jupyterhub-user-eve-59", "e", passesTo: "/user/eve/59")
        try await expect("jupyterhub-user-eve-33", "e", passesTo: "/user/eve/33", false)
        let places = try #require(world.gate.store.all.first).pinnedCookies
        #expect(places.hub.count + places.others.count == 32)
    }

    // SECURITY-CASES I02.
    @Test mutating func `a cookie goes to the route that set it and not to its namesake`()
        async throws
    {
        // The user `a-b`, and the server `b` of `a`: one name.
        try await set("/user/a-b", "jupyterhub-user-a-b=planted; Path=/user/a/b/")
        try await expect("jupyterhub-user-a-b", "planted", passesTo: "/user/a-b")
        try await expect("jupyterhub-user-a-b", "planted", passesTo: "/user/a/b", false)
        try await set("/user/a/b", "jupyterhub-user-a-b=own; Path=/user/a/b/")
        try await expect("jupyterhub-user-a-b", "own", passesTo: "/user/a/b")
        // What the one removes stays the other's.
        try await set("/user/a-b", "jupyterhub-user-a-b=\"\"; Path=/user/a/b/")
        try await expect("jupyterhub-user-a-b", "own", passesTo: "/user/a/b")
    }

    // SECURITY-CASES I13.
    @Test mutating func `a log out's answer stays small, and forgets the Hub's cookies first`()
        async throws
    {
        let long = String(repeating: "p", count: 900)
        for number in 0..<8 {
            try await set(
                "/user/eve", "jupyterhub-user-eve=e; Path=/\(number)\(long)")
        }
        for number in 0..<22 {
            try await set(
                "/user/alice/server-\(number)",
                "jupyterhub-user-alice-server-\(number)=a; Path=/user/alice/server-\(number)/")
        }
        try await setHub()
        let (cookies, bytes) = try await signOut()
        #expect(bytes <= 3400, "\(bytes)")
        for line in [
            "jupyterhub-hub-login=; Max-Age=0; Path=/hub/",
            "jupyterhub-session-id=; Max-Age=0; Path=/", "_xsrf=; Max-Age=0; Path=/hub/",
            "_xsrf=; Max-Age=0; Path=/",
        ] {
            #expect(cookies.contains { $0.hasPrefix(line) }, "\(line)")
        }
        // The short ones are not kept out by the long ones.
        #expect(cookies.contains { $0.hasPrefix("jupyterhub-user-alice-server-9=") })
        #expect(!cookies.contains { $0.contains("ppp") })
    }

    @Test mutating func `14 servers' cookies fit into what nginx takes as it comes`()
        async throws
    {
        try await setHub()
        for number in 0..<14 {
            try await set(
                "/user/alice/server-\(number)",
                "jupyterhub-user-alice-server-\(number)=a; Path=/user/alice/server-\(number)/")
        }
        let (cookies, bytes) = try await signOut()
        for number in 0..<14 {
            #expect(
                cookies.contains {
                    $0.hasPrefix("jupyterhub-user-alice-server-\(number)=; Max-Age=0; ")
                }, "\(number)")
        }
        #expect(bytes <= 3400, "\(bytes)")
    }

    @Test mutating func `a cookie whose path or name no browser would take is dropped`()
        async throws
    {
        let server = try await screen("/user/alice")
        for (length, isTaken) in [(1024, true), (1025, false)] {
            let path = "/" + String(repeating: "p", count: length - 1)
            let line = Array("jupyterhub-user-alice=a; Path=\(path)".utf8)
            #expect((server.judge(setCookie: line.span) != .dropped) == isTaken)
        }
        let name = String(repeating: "n", count: 1024 - 16)
        for (more, isTaken) in [("", true), ("n", false)] {
            let long = try await screen("/user/\(name)\(more)")
            let line = Array("jupyterhub-user-\(name)\(more)=a; Path=/user/".utf8)
            #expect((long.judge(setCookie: line.span) != .dropped) == isTaken)
        }
        // Any other cookie is the application's.
        let other = Array("theme=dark; Path=/\(String(repeating: "p", count: 2000))".utf8)
        #expect(server.judge(setCookie: other.span) == .passes)
    }
}
