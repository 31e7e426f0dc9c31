import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct SignOutTests {
    private static let link = [
        ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-User", "?1"), ("Accept", "text/html"),
    ]
    private static let form = [
        ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Site", "same-origin"), ("Origin", "null"), ("Accept", "text/html"),
    ]
    private let url = World.hub + "/.gatehouse/logout"

    private func signedIn(_ world: World, _ person: FakeProvider.Person = World.alice)
        async throws -> Browser
    {
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: person)
        return browser
    }

    private func token(_ page: Page?) throws -> String {
        guard case .confirmLogout(_, _, let token)? = page else {
            throw PageMissing()
        }
        return token.revealText()
    }

    private struct PageMissing: Error {}

    @Test func `a confirmed sign-out ends here first and at the provider then`() async throws {
        let world = try World()
        var browser = try await signedIn(world)
        let copy = browser
        let page = try await browser.navigate(url)
        #expect(page.status == 200 && world.ended.isEmpty)
        let answer = try await browser.send(
            "POST", url, Self.form, body: "csrf=" + (try token(page.page)))
        #expect(answer.status == 302)
        let location = try #require(answer.location)
        #expect(location.hasPrefix(FakeProvider.issuer + "/logout?id_token_hint="))
        #expect(
            location.contains(
                "post_logout_redirect_uri=https%3A%2F%2Fhub.example%2F.gatehouse%2Flogged-out"))
        #expect(browser.session() == nil)
        #expect(world.ended.map(\.1) == [.signOut])
        // SECURITY-CASES D02, E03.
        var stolen = copy
        #expect(try await stolen.send("GET", World.hub + "/", Browser.script).status == 401)
        let landing = try await browser.navigate(World.hub + "/.gatehouse/logged-out")
        guard case .signedOut(.ended, _)? = landing.page else {
            Issue.record("not the page after a logout")
            return
        }
        #expect(world.log.contains("logout user=alice host=hub.example cause=user"))
    }

    @Test func `an application's own link signs out at once, on all hosts`() async throws {
        let world = try World()
        var browser = try await signedIn(world)
        try await browser.signIn(at: World.grafana + "/", as: World.alice)
        var bob = try await signedIn(world, World.bob)
        #expect(try await browser.send("GET", url, Self.link).status == 302)
        #expect(world.ended.count == 2)
        #expect(try await browser.navigate(World.grafana + "/").status == 302)
        #expect(try await bob.navigate(World.hub + "/").passage != nil)
    }

    // SECURITY-CASES E01.
    @Test(arguments: [
        [
            ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image"),
            ("Sec-Fetch-Site", "cross-site"),
        ],
        [
            ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe"),
            ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-User", "?1"),
        ],
        [
            ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
            ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-User", "?1"),
        ],
        [
            ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
            ("Sec-Fetch-Site", "same-origin"),
        ],
        [
            ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
            ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-User", "?1"),
            ("Sec-Purpose", "prefetch"),
        ],
        [("Accept", "text/html")], [],
    ])
    func `nothing else that is fetched signs anybody out`(fields: [(String, String)])
        async throws
    {
        let world = try World()
        var browser = try await signedIn(world)
        let answer = try await browser.send("GET", url + "?token=x", fields)
        #expect(answer.status == 200 || answer.status == 403)
        #expect(answer.cookies.isEmpty && world.ended.isEmpty)
        #expect(try await browser.navigate(World.hub + "/").passage != nil)
    }

    // SECURITY-CASES E01, F10.
    @Test func `a form of another site signs nobody out, with or without token`() async throws {
        let world = try World()
        var browser = try await signedIn(world)
        let good = try token(try await browser.navigate(url).page)
        for fields in [
            [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")],
            [("Sec-Fetch-Site", "same-site"), ("Origin", World.grafana)],
            [("Origin", "https://evil.example")],
        ] {
            let answer = try await browser.send("POST", url, fields, body: "csrf=\(good)")
            #expect(answer.status == 403 && answer.cookies.isEmpty)
            // As Lax cookies have it: without the cookie. It must not be removed either.
            var bare = Browser(world)
            let other = try await bare.send("POST", url, fields, body: "csrf=\(good)")
            #expect(other.cookies.isEmpty)
        }
        for body in ["", "csrf=", "csrf=x", "csrf=\(good)&csrf=\(good)"] {
            #expect(try await browser.send("POST", url, Self.form, body: body).status == 403)
        }
        var bob = try await signedIn(world, World.bob)
        #expect(try await bob.send("POST", url, Self.form, body: "csrf=\(good)").status == 403)
        #expect(world.ended.isEmpty)
        #expect(
            try await browser.send("POST", url, Self.form, body: "csrf=\(good)").status == 302)
    }

    @Test func `a one-time link acts once and for five minutes`() async throws {
        let world = try World()
        var browser = try await signedIn(world)
        let session = try #require(world.gate.store.all.first)
        let old = world.gate.logoutToken(for: session)
        world.clock.advance(by: .seconds(301))
        #expect(
            try await browser.send("GET", url + "?token=\(old)", Browser.navigation).status == 200)
        #expect(world.ended.isEmpty)
        let fresh = world.gate.logoutToken(for: session)
        #expect(
            try await browser.send("GET", url + "?token=\(fresh)", Browser.navigation).status
                == 302)
        #expect(world.ended.count == 1)
        var next = try await signedIn(
            world,
            FakeProvider.Person(
                subject: "a-1", username: "alice", sid: "sid-new", authTime: 1_800_000_300))
        #expect(
            try await next.send("GET", url + "?token=\(fresh)", Browser.navigation).status == 200)
    }

    // SECURITY-CASES E02.
    @Test func `a target at logout is ignored`() async throws {
        let world = try World()
        var browser = try await signedIn(world)
        let answer = try await browser.send(
            "GET", url + "?rd=https://evil.example&post_logout_redirect_uri=https://evil.example",
            Self.link)
        #expect(answer.location?.contains("evil") == false)
    }

    @Test func `a large ID token goes to the provider by a form`() async throws {
        let world = try World()
        var many = World.alice
        many.padding = 4000
        var browser = try await signedIn(world, many)
        let answer = try await browser.send("GET", url, Self.link)
        guard case .endSession(let action, let fields)? = answer.page else {
            Issue.record("no form")
            return
        }
        #expect(action == FakeProvider.issuer + "/logout")
        #expect(fields.map(\.name).contains("id_token_hint"))
        #expect(browser.session() == nil && world.ended.count == 1)
    }

    // SECURITY-CASES E04.
    @Test func `a dead provider does not keep anybody signed in`() async throws {
        let world = try World()
        var browser = try await signedIn(world)
        world.fake.fail(with: .unreachable)
        let answer = try await browser.send("GET", url, Self.link)
        guard case .signedOut(.mayBeAlive(let end?), _)? = answer.page else {
            Issue.record("no page that says so")
            return
        }
        #expect(end.hasPrefix(FakeProvider.issuer + "/logout?client_id="))
        #expect(!end.contains("id_token_hint"))
        #expect(browser.session() == nil && world.ended.count == 1)
    }

    @Test func `a provider that ends no session is not said to be down`() async throws {
        let world = try World()
        world.fake.endNoSessions()
        var browser = try await signedIn(world)
        let answer = try await browser.send("GET", url, Self.link)
        guard case .signedOut(.cannotBeEnded, _)? = answer.page else {
            Issue.record("no page that says so")
            return
        }
        #expect(browser.session() == nil && world.ended.count == 1)
    }

    @Test func `nobody who is signed in is told that he is not`() async throws {
        let world = try World()
        var browser = try await signedIn(world)
        let landing = try await browser.navigate(World.hub + "/.gatehouse/logged-out")
        #expect(landing.status == 200 && world.ended.isEmpty)
        let answer = try await browser.send(
            "POST", url, Self.form, body: "csrf=" + (try token(landing.page)))
        #expect(answer.status == 302 && world.ended.count == 1)
    }

    // SECURITY-CASES E03, E05, E21.
    @Test func `the provider's dying session signs nobody in again by itself`() async throws {
        let world = try World()
        var browser = try await signedIn(world)
        _ = try await browser.send("GET", url, Self.link)
        let start = try await browser.navigate(World.hub + "/")
        let again = try await browser.navigate(
            try world.fake.callback(start, as: World.alice))
        #expect(again.status == 302)
        #expect(again.location?.contains("prompt=login") == true)
        #expect(world.gate.store.count == 0)
        var fresh = World.alice
        fresh.authTime = world.clock.timestamp.seconds + 1
        let end = try await browser.navigate(try world.fake.callback(again, as: fresh))
        #expect(end.location == World.hub + "/")
    }

    @Test func `signing out twice is no error`() async throws {
        let world = try World()
        var browser = try await signedIn(world)
        _ = try await browser.send("GET", url, Self.link)
        let again = try await browser.send("GET", url, Self.link)
        guard case .signedOut(.unknown, _)? = again.page else {
            Issue.record("no page")
            return
        }
        #expect(world.ended.count == 1)
    }
}
