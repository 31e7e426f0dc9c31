import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC
import GatehouseTesting
import Testing

@testable import GatehouseGate

/// A sign-out that is asked for twice: the browser throws the first answer away (a double click).
@Suite struct RepeatedSignOutTests {
    private static let url = World.hub + "/.gatehouse/logout"
    private static let link = [
        ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-User", "?1"), ("Accept", "text/html"),
    ]
    private static let form = [
        ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Site", "same-origin"), ("Origin", "null"), ("Accept", "text/html"),
    ]

    /// What the browser sends to sign out.
    private struct Request {
        var method = "GET"
        var url = RepeatedSignOutTests.url
        var fields = RepeatedSignOutTests.link
        var body = ""
    }

    private let world: World
    private let browser: Browser

    init() async throws {
        world = try World()
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        self.browser = browser
    }

    private func send(_ request: Request, from browser: Browser) async throws -> Outcome {
        var copy = browser
        return try await copy.send(
            request.method, request.url, request.fields, body: request.body)
    }

    private func csrf() async throws -> String {
        var copy = browser
        guard
            case .confirmLogout(_, _, let token)? = try await copy.navigate(Self.url).page
        else { throw World.Missing() }
        return "csrf=" + token.revealText()
    }

    private func isUnknown(_ outcome: Outcome) -> Bool {
        if case .signedOut(.unknown, _)? = outcome.page { true } else { false }
    }

    // SECURITY-CASES E05.
    @Test(arguments: ["button", "link", "token"])
    func `a second click within a minute gets the way to the provider again`(by way: String)
        async throws
    {
        let session = try #require(world.gate.store.all.first)
        let place = PinSet.Place(name: Array("c".utf8), path: Array("/hub/".utf8))
        _ = session.pin(place, Array("v".utf8).span, by: .hub)
        let request =
            switch way {
            case "button": Request(method: "POST", fields: Self.form, body: try await csrf())
            case "link": Request()
            default:
                Request(
                    url: Self.url + "?token=" + world.gate.logoutToken(for: session),
                    fields: Browser.navigation)
            }
        let first = try await send(request, from: browser)
        #expect(first.location?.hasPrefix(FakeProvider.issuer + "/logout?id_token_hint=") == true)
        for seconds in [0, 30, 29] {
            world.clock.advance(by: .seconds(seconds))
            let again = try await send(request, from: browser)
            #expect(again.status == 302 && again.location == first.location)
            #expect(again.cookies == first.cookies)
        }
        // The session is over for everything else, and it ended once.
        #expect(world.ended.map(\.1) == [.signOut] && world.gate.store.count == 0)
        let script = Request(url: World.hub + "/", fields: Browser.script)
        #expect(try await send(script, from: browser).status == 401)
        let status = Request(url: World.hub + "/.gatehouse/session", fields: Browser.script)
        #expect(try await send(status, from: browser).status == 401)
        world.clock.advance(by: .seconds(1))
        #expect(isUnknown(try await send(request, from: browser)))
        await world.gate.endExpired()
        #expect(world.gate.signOuts.count == 0)
    }

    @Test func `a session that is ended while its answer waits does not hide the provider`()
        async throws
    {
        let statuses = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    let answer = try? await self.send(Request(), from: self.browser)
                    return answer?.location?.hasPrefix(FakeProvider.issuer + "/logout?") == true
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: true, count: 6))
        #expect(world.ended.count == 1)
    }

    @Test func `a provider that did not answer is asked again`() async throws {
        world.fake.fail(with: .unreachable)
        let first = try await send(Request(), from: browser)
        guard case .signedOut(.mayBeAlive, _)? = first.page else { throw World.Missing() }
        world.fake.fail(with: nil)
        #expect(try await send(Request(), from: browser).status == 302)
    }

    // SECURITY-CASES E01.
    @Test func `what would not have signed anybody out repeats nothing`() async throws {
        let good = try await csrf()
        #expect(try await send(Request(), from: browser).status == 302)
        let post = Request(method: "POST", fields: Self.form, body: good)
        for request in [
            Request(fields: Browser.navigation),
            Request(fields: Self.link + [("Sec-Purpose", "prefetch")]),
            Request(url: Self.url + "?token=x", fields: Browser.navigation),
            Request(fields: [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "image")]),
            Request(method: "POST", fields: Self.form, body: "csrf=x"),
            Request(method: "POST", fields: Self.form, body: good + "&" + good),
            Request(method: "POST", fields: Self.form),
            Request(
                method: "POST",
                fields: [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")],
                body: good),
        ] {
            let answer = try await send(request, from: browser)
            #expect(answer.location == nil && (isUnknown(answer) || answer.status == 403))
        }
        #expect(try await send(post, from: browser).status == 302)
    }

    // SECURITY-CASES D01, D02, C29.
    @Test func `only the very cookie repeats it, at its own host`() async throws {
        #expect(try await send(Request(), from: browser).status == 302)
        let value = try #require(browser.session())
        var forged = browser
        let last = value.last == "A" ? "E" : "A"
        for others in [[], [value.dropLast() + last], [value, value], ["x"]] {
            forged.jars["hub.example"] = others.map { ("__Host-Http-gatehouse", $0) }
            #expect(isUnknown(try await send(Request(), from: forged)))
        }
        forged.jars["grafana.example"] = [("__Host-Http-gatehouse", value)]
        let elsewhere = Request(url: World.grafana + "/.gatehouse/logout")
        #expect(isUnknown(try await send(elsewhere, from: forged)))
        var bob = Browser(world)
        try await bob.signIn(at: World.hub + "/", as: World.bob)
        #expect(try await bob.navigate(World.hub + "/").passage != nil)
        #expect(try await send(Request(), from: browser).status == 302)
        #expect(world.ended.count == 1)
    }

    @Test func `a session that ended in another way is not signed out by a click`() async throws {
        let sid = World.alice.sid
        let token = world.fake.signer.token(
            .object(world.fake.logoutClaims(sid: sid, sub: nil, jti: "1")))
        #expect(await world.postLogout(token).status == 200)
        #expect(isUnknown(try await send(Request(), from: browser)))
    }

    @Test func `JupyterHub's button, pressed twice, leads to the provider both times`() async throws
    {
        let route = RouteIdentity(identityHeaders: [], hub: HubPreset(baseURL: "/"))
        func press(_ fields: [(String, String)], _ query: String = "") async throws -> Outcome {
            var copy = browser
            return try await copy.send(
                "GET", World.hub + "/hub/logout" + query, fields, route: route, prefix: "/")
        }
        // A browser that says nothing about its requests is asked, and answers by a link.
        let bare = [("Accept", "text/html")]
        guard case .confirmHubLogout(_, let button)? = try await press(bare).page else {
            throw World.Missing()
        }
        #expect(try await send(Request(), from: browser).status == 302)
        for (fields, query) in [
            (Self.link, ""), (Array(Self.link.dropLast(2)), ""), (bare, button),
        ] {
            let second = try await press(fields, query)
            let location = try #require(second.location)
            #expect(second.status == 303 && location.hasPrefix("/.gatehouse/logout?token="))
            let end = try await send(
                Request(url: World.hub + location, fields: bare), from: browser)
            #expect(end.location?.hasPrefix(FakeProvider.issuer + "/logout?id_token") == true)
        }
        for fields in [bare, Browser.navigation] {
            #expect(try await press(fields).location == "/.gatehouse/logout")
        }
    }

    @Test func `another provider in force does not get to see the ID token`() async throws {
        #expect(try await send(Request(), from: browser).status == 302)
        let options = try #require(world.gate.snapshot.provider?.options)
        for (issuer, client) in [
            (FakeProvider.issuer, "other"), ("https://sso.example/realms/other", "gatehouse"),
        ] {
            var other = options
            other.issuer = issuer
            other.credentials = .init(clientID: client, secret: Secret("s"))
            await world.gate.replace(
                world.gate.snapshot.options,
                provider: ProviderClient(
                    options: other, channel: world.fake, clock: world.clock.gateClock))
            let again = try await send(Request(), from: browser)
            #expect(again.location?.contains("id_token_hint") != true)
        }
    }

    @Test func `what is remembered is bounded, and the oldest goes first`() {
        let recent = RecentSignOuts(indexKey: Secret.random(count: 32))
        let now = world.clock.instant
        let session = Session(
            issuer: FakeProvider.issuer, subject: "a-1", sessionID: nil, host: "hub.example",
            identity: SessionIdentity(
                claims: Claims(username: nil), acr: nil, authTime: nil,
                created: Timestamp(seconds: 0),
                idToken: Secret(String(repeating: "x", count: 32 * 1024)), tokenClaims: [:]),
            now: now)
        let signedOut = SignedOut(
            session,
            provider: ProviderClient.Options(
                issuer: FakeProvider.issuer,
                credentials: .init(clientID: "gatehouse", secret: Secret("s"))))
        let cookies = (0..<200).map { _ in SessionCookie().value.revealText() }
        for cookie in cookies { recent.remember(signedOut, Array(cookie.utf8).span, now: now) }
        let fitting = RecentSignOuts.room / signedOut.size
        #expect(recent.count == fitting && fitting < 200 && fitting > 100)
        func holds(_ index: Int) -> Bool {
            recent.recall(Array(cookies[index].utf8).span, now: now) != nil
        }
        #expect(!holds(199 - fitting) && holds(200 - fitting) && holds(199))
        recent.forget(before: now + .seconds(59))
        #expect(recent.count == fitting)
        recent.forget(before: now + .seconds(60))
        #expect(recent.count == 0)
    }
}
