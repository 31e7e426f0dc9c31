import GatehouseBase
import GatehouseHTTP
import Synchronization
import Testing

@testable import GatehouseGate

/// JupyterHub's cookies are good in the session that they were set in, and nowhere else.
@Suite struct HubScreenTests {
    private let preset = HubPreset(baseURL: "/")
    private let world: World
    private var alice: Browser
    private var bob: Browser

    init() async throws {
        world = try World(access: [
            AccessRule(
                pattern: try #require(PathPattern("/hub/health")), methods: ["GET"],
                allow: .anyone),
            AccessRule(pattern: try #require(PathPattern("/**")), allow: .signedIn),
        ])
        alice = Browser(world)
        bob = Browser(world)
        try await alice.signIn(at: World.hub + "/", as: World.alice)
        try await bob.signIn(at: World.hub + "/", as: World.bob)
    }

    /// The screen of one exchange on a route.
    private func screen(
        _ browser: inout Browser, _ prefix: String, path: String? = nil
    ) async throws -> any CookieScreen {
        let outcome = try await browser.send(
            "GET", World.hub + (path ?? prefix), Browser.script,
            route: RouteIdentity(identityHeaders: [], hub: preset), prefix: prefix)
        let passage = try #require(outcome.passage)
        guard case .screened(let screen) = passage.edits.cookies else {
            throw World.Missing()
        }
        #expect(passage.review.screen != nil)
        return screen
    }

    private func passes(_ screen: any CookieScreen, _ name: String, _ value: String) -> Bool {
        let name = Array(name.utf8)
        let value = Array(value.utf8)
        return screen.passes(name: name.span, value: value.span)
    }

    private func judge(_ screen: any CookieScreen, _ line: String) -> SetCookieVerdict {
        let bytes = Array(line.utf8)
        return screen.judge(setCookie: bytes.span)
    }

    @Test
    mutating func `a cookie goes back to the Hub in the session that got it, and in no other`()
        async throws
    {
        let hub = try await screen(&alice, "/")
        #expect(!passes(hub, "jupyterhub-hub-login", "2|1:0|alice"))
        #expect(
            judge(hub, "jupyterhub-hub-login=\"2|1:0|alice\"; HttpOnly; Path=/hub/")
                == .passesAfterCommit)
        #expect(judge(hub, "jupyterhub-session-id=abc; Path=/") == .passesAfterCommit)
        #expect(judge(hub, "jupyterhub-session-id=abc; Path=/") == .passes)
        #expect(passes(hub, "jupyterhub-hub-login", "\"2|1:0|alice\""))
        #expect(!passes(hub, "jupyterhub-hub-login", "\"2|1:0|alicE\""))
        #expect(!passes(hub, "__Host-jupyterhub-hub-login", "\"2|1:0|alice\""))
        // I01: the same browser's leftovers, or a copy, in somebody else's session.
        let other = try await screen(&bob, "/")
        #expect(!passes(other, "jupyterhub-hub-login", "\"2|1:0|alice\""))
        #expect(!passes(other, "jupyterhub-session-id", "abc"))
        #expect(passes(other, "theme", "dark") && passes(other, "_xsrf", "x"))
        #expect(world.log.contains { $0.hasPrefix("cookie_pin_stripped") && $0.contains("bob") })
    }

    @Test mutating func `the Hub's own cookie reaches no user's server`() async throws {
        let hub = try await screen(&alice, "/")
        _ = judge(hub, "jupyterhub-hub-login=x; Path=/hub/")
        _ = judge(hub, "jupyterhub-session-id=abc; Path=/")
        let server = try await screen(&alice, "/user/alice")
        #expect(!passes(server, "jupyterhub-hub-login", "x"))
        #expect(passes(server, "jupyterhub-session-id", "abc"))
    }

    @Test mutating func `a server sets its own cookie and none of another's`() async throws {
        let server = try await screen(&alice, "/user/alice")
        #expect(judge(server, "jupyterhub-user-alice=t; Path=/user/alice/") == .passesAfterCommit)
        #expect(passes(server, "jupyterhub-user-alice", "t"))
        // I02 and B14: what only looks like it, and what is somebody else's, is dropped.
        for line in [
            "jupyterhub-user-bob=t; Path=/user/bob/", "jupyterhub-hub-login=t; Path=/hub/",
            "jupyterhub-session-id=t; Path=/", "jupyterhub-user-alice-work=t; Path=/user/alice/",
            "service-files=t; Path=/services/files/", "__Host-jupyterhub-hub-login=t; Path=/",
            "JupyterHub-Hub-Login=t; Path=/hub/", " jupyterhub-user-bob =t", "\"service-x\"=t",
        ] {
            #expect(judge(server, line) == .dropped, "\(line)")
        }
        #expect(judge(server, "theme=dark; Path=/") == .passes)
        #expect(world.log.contains { $0.hasPrefix("cookie_dropped") && $0.contains("/user/alice") })
        let other = try await screen(&bob, "/user/alice")
        #expect(!passes(other, "jupyterhub-user-alice", "t"))
        let work = try await screen(&alice, "/user/alice/work")
        #expect(judge(work, "jupyterhub-user-alice-work=w") == .passesAfterCommit)
        #expect(passes(work, "jupyterhub-user-alice-work", "w"))
        #expect(!passes(work, "jupyterhub-user-alice", "t"))
    }

    @Test mutating func `a server that sets others' cookies all the time writes a line a minute`()
        async throws
    {
        func lines(_ event: String) -> [String] { world.log.filter { $0.hasPrefix(event) } }
        let server = try await screen(&alice, "/user/alice")
        let other = try await screen(&alice, "/user/bob")
        for index in 0..<100 {
            #expect(judge(server, "jupyterhub-user-x\(index)=t") == .dropped)
            #expect(!passes(server, "jupyterhub-user-x\(index)", "t"))
        }
        #expect(judge(server, "\"jupyterhub-user-alice\"=t") == .dropped)
        #expect(judge(other, "jupyterhub-hub-login=t") == .dropped)
        #expect(
            lines("cookie_dropped") == [
                "cookie_dropped cookie=jupyterhub-user-x0 cause=foreign route=/user/alice left_out=0",
                "cookie_dropped cookie=jupyterhub-user-alice cause=unclear route=/user/alice "
                    + "left_out=0",
                "cookie_dropped cookie=jupyterhub-hub-login cause=foreign route=/user/bob left_out=0",
            ])
        #expect(lines("cookie_pin_stripped").count == 1)
        world.clock.advance(by: .seconds(61))
        #expect(judge(server, "jupyterhub-user-y=t") == .dropped)
        #expect(!passes(server, "jupyterhub-user-y", "t"))
        #expect(
            lines("cookie_dropped").last
                == "cookie_dropped cookie=jupyterhub-user-y cause=foreign route=/user/alice "
                + "left_out=99")
        #expect(
            lines("cookie_pin_stripped").last
                == "cookie_pin_stripped cookie=jupyterhub-user-y user=alice route=/user/alice "
                + "left_out=99")
    }

    @Test mutating func `a service sets its own cookie`() async throws {
        let service = try await screen(&alice, "/services/files")
        #expect(judge(service, "service-files=t; Path=/services/files/") == .passesAfterCommit)
        #expect(judge(service, "service-other=t; Path=/services/other/") == .dropped)
        #expect(passes(service, "service-files", "t") && !passes(service, "service-other", "t"))
    }

    // `oauth_client_id` of a service is its administrator's choice.
    @Test(arguments: ["/services/who", "/user/alice"])
    mutating func `what begins like a service's cookie is whose path it has`(prefix: String)
        async throws
    {
        let own = try await screen(&alice, prefix)
        for path in ["; Path=\(prefix)/", "; Path=\(prefix)/proxy/8000", "; Path=\(prefix)", ""] {
            let name = "service-of\(path.utf8.count)"
            #expect(judge(own, "\(name)=t\(path)") == .passesAfterCommit, "\(path)")
            #expect(passes(own, name, "t"))
            // It comes to nobody else, and nobody else's comes here.
            let other = try await screen(&alice, "/services/files")
            #expect(!passes(other, name, "t"))
            #expect(!passes(try await screen(&bob, prefix), name, "t"))
        }
        for path in ["/", "/services/files/", "\(prefix)-2/", "/user/bob/", "\(prefix)%2F"] {
            #expect(judge(own, "service-files=t; Path=\(path)") == .dropped, "\(path)")
        }
        #expect(!passes(own, "service-files", "t"))
        #expect(judge(try await screen(&alice, "/"), "service-x=t; Path=/hub/") == .dropped)
    }

    @Test mutating func `a sign-in under way at a server needs no pin`() async throws {
        let server = try await screen(&alice, "/user/alice")
        #expect(judge(server, "jupyterhub-user-alice-oauth-state=s; Path=/user/alice/") == .passes)
        #expect(passes(server, "jupyterhub-user-alice-oauth-state", "s"))
        #expect(passes(server, "jupyterhub-user-alice-oauth-state-AbCdEfGh", "s"))
        #expect(judge(server, "jupyterhub-user-bob-oauth-state=s; Path=/user/bob/") == .dropped)
        // A user may bear such a name; his cookie is no state.
        let odd = try await screen(&alice, "/user/alice-oauth-state")
        #expect(!passes(odd, "jupyterhub-user-alice-oauth-state", "s"))
    }

    @Test mutating func `several values of a cookie are good, and four at most`() async throws {
        let hub = try await screen(&alice, "/")
        for number in 1...5 {
            _ = judge(hub, "jupyterhub-session-id=\(number); Path=/")
            // Asked twice: the second answer comes from memory.
            #expect(passes(hub, "jupyterhub-session-id", "\(number)"))
            #expect(passes(hub, "jupyterhub-session-id", "\(number)"))
        }
        #expect(!passes(hub, "jupyterhub-session-id", "1"))
        for number in 2...5 { #expect(passes(hub, "jupyterhub-session-id", "\(number)")) }
    }

    @Test mutating func `what the Hub removes is good no longer`() async throws {
        let hub = try await screen(&alice, "/")
        _ = judge(hub, "jupyterhub-hub-login=x; Path=/hub/")
        let past = "expires=Thu, 27 Nov 2025 08:00:00 GMT"
        #expect(judge(hub, "jupyterhub-hub-login=\"\"; \(past); Path=/hub/") == .passes)
        #expect(!passes(hub, "jupyterhub-hub-login", "x"))
    }

    @Test mutating func `a session keeps 32 cookies, those that were set last`() async throws {
        let session = try #require(world.gate.store.all.first { $0.username == "alice" })
        for number in 0..<40 {
            let value = Array("v".utf8)
            let name = Array("service-\(number)".utf8)
            _ = session.pin(
                PinSet.Place(name: name, path: [0x2F]), value.span,
                by: PinSet.Setter(route: name, owner: name))
        }
        #expect(session.pinnedCookies.others.count == 32)
        #expect(session.pinnedCookies.others.first?.name == Array("service-8".utf8))
    }

    @Test mutating func `under a public rule nobody is signed in and nothing is pinned`()
        async throws
    {
        let hub = try await screen(&alice, "/")
        _ = judge(hub, "jupyterhub-hub-login=x; Path=/hub/")
        let open = try await screen(&alice, "/", path: "/hub/health")
        #expect(!passes(open, "jupyterhub-hub-login", "x"))
        #expect(judge(open, "jupyterhub-hub-login=y; Path=/hub/") == .dropped)
    }

    @Test mutating func `without the preset cookies are the application's`() async throws {
        let outcome = try await alice.send(
            "GET", World.hub + "/grafana", Browser.script,
            route: RouteIdentity(identityHeaders: []), prefix: "/grafana")
        let passage = try #require(outcome.passage)
        guard case .all = passage.edits.cookies else { throw World.Missing() }
        #expect(passage.review.screen == nil)
    }

    @Test func `a new pin is kept with its session, or nowhere`() async throws {
        let records = PinRecords()
        let world = try World(records: records)
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let kept = records.commits.withLock { $0 }
        let outcome = try await browser.send(
            "GET", World.hub + "/", Browser.script,
            route: RouteIdentity(identityHeaders: [], hub: preset), prefix: "/")
        let hub = try #require(outcome.passage?.review.screen)
        #expect(judge(hub, "jupyterhub-session-id=abc; Path=/") == .passesAfterCommit)
        try await hub.commit()
        #expect(records.commits.withLock { $0 } == kept + 1)
        records.isFull.withLock { $0 = true }
        await #expect(throws: PinRecords.Full.self) { try await hub.commit() }
    }
}

/// Counts what it keeps, until it is full.
private final class PinRecords: SessionRecords {
    struct Full: Error {}

    let commits = Locked(0)
    let isFull = Locked(false)

    func commit(_ session: Session) async throws {
        if isFull.withLock({ $0 }) { throw Full() }
        commits.withLock { $0 += 1 }
    }

    func end(_ sessions: [Session]) async throws {}
}
