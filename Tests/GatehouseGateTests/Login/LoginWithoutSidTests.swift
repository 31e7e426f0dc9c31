import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// Providers whose ID tokens name no session: the browser is what holds logins together.
@Suite struct LoginWithoutSidTests {
    private static let logout = World.hub + "/.gatehouse/logout"
    private static let link = [
        ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-User", "?1"), ("Accept", "text/html"),
    ]
    private static let alice = FakeProvider.Person(
        subject: "a-1", username: "alice", sid: nil, authTime: 1_799_999_900)
    private static let bob = FakeProvider.Person(
        subject: "b-2", username: "bob", sid: nil, authTime: 1_799_999_900)

    private let world: World

    init() throws { world = try World() }

    /// Begins logins in tabs of one browser, and gives the addresses at which they come back.
    private func begin(
        _ browser: inout Browser, _ count: Int, as person: FakeProvider.Person = alice
    ) async throws -> [String] {
        var callbacks: [String] = []
        for number in 0..<count {
            let start = try await browser.navigate(World.hub + "/tab\(number)")
            callbacks.append(try world.fake.callback(start, as: person))
        }
        return callbacks
    }

    /// Comes back with the cookies of now; what is set is in the copy only.
    private func finish(_ callback: String, _ browser: Browser) async throws -> Browser {
        var copy = browser
        let answer = try await copy.navigate(callback)
        #expect(answer.location?.hasPrefix(World.hub + "/tab") == true)
        return copy
    }

    private func opens(_ browser: Browser) async throws -> Bool {
        var copy = browser
        return try await copy.send("GET", World.hub + "/", Browser.script).passage != nil
    }

    private func signOut(_ browser: Browser) async throws {
        var copy = browser
        #expect(try await copy.send("GET", Self.logout, Self.link).status == 302)
    }

    // SECURITY-CASES C04, E03.
    @Test(arguments: 0..<3)
    func `tabs that come back at once are one session, and a sign-out with any id ends it`(
        last: Int
    ) async throws {
        var browser = Browser(world)
        let callbacks = try await begin(&browser, 3)
        var tabs: [Browser] = []
        // All were sent before the first answer came.
        for callback in callbacks { tabs.append(try await finish(callback, browser)) }
        #expect(Set(tabs.map { $0.session() }).count == 3)
        #expect(world.gate.store.count == 1 && world.ended.isEmpty)
        for tab in tabs { #expect(try await opens(tab)) }
        try await signOut(tabs[last])
        #expect(world.ended.map(\.1) == [.signOut])
        for tab in tabs { #expect(try await !opens(tab)) }
    }

    @Test func `a login begun while another was on its way back joins it in either order`()
        async throws
    {
        for isFirstLast in [false, true] {
            var browser = Browser(world)
            let first = try await begin(&browser, 1)[0]
            let before = browser
            // The first is on its way with its own cookie only; then another tab begins.
            let second = try await begin(&browser, 1)[0]
            let ways =
                isFirstLast
                ? [(second, browser), (first, before)]
                : [(first, before), (second, browser)]
            var tabs: [Browser] = []
            for (callback, sent) in ways { tabs.append(try await finish(callback, sent)) }
            #expect(world.gate.store.count == 1)
            for tab in tabs { #expect(try await opens(tab)) }
            try await signOut(tabs[0])
            #expect(world.gate.store.count == 0)
        }
    }

    // SECURITY-CASES C27.
    @Test func `tabs one after the other keep the session, and the id before lasts a minute`()
        async throws
    {
        var browser = Browser(world)
        let callbacks = try await begin(&browser, 3)
        var ids: [Browser] = []
        for callback in callbacks {
            browser = try await finish(callback, browser)
            ids.append(browser)
        }
        #expect(world.gate.store.count == 1 && world.ended.isEmpty)
        world.clock.advance(by: .seconds(59))
        for id in ids { #expect(try await opens(id)) }
        world.clock.advance(by: .seconds(2))
        await world.gate.endExpired()
        #expect(try await !opens(ids[0]))
        #expect(try await !opens(ids[1]))
        #expect(try await opens(ids[2]))
    }

    @Test func `a browser left with a replaced id comes back to its session`() async throws {
        var browser = Browser(world)
        let callbacks = try await begin(&browser, 2)
        var late = try await finish(callbacks[0], browser)
        _ = try await finish(callbacks[1], browser)
        world.clock.advance(by: .seconds(300))
        await world.gate.endExpired()
        #expect(try await !opens(late))
        let again = try await begin(&late, 1)[0]
        late = try await finish(again, late)
        #expect(try await opens(late) && world.gate.store.count == 1 && world.ended.isEmpty)
        // With a forged secret the id tells nothing.
        world.clock.advance(by: .seconds(300))
        var forged = late
        forged.jars["hub.example"] = [
            (
                "__Host-Http-gatehouse",
                String(try #require(late.session()).prefix(23))
                    + SessionCookie().value.revealText().suffix(43)
            )
        ]
        let other = try await begin(&forged, 1)[0]
        _ = try await finish(other, forged)
        #expect(world.gate.store.count == 2)
    }

    @Test func `two browsers of one person are two sessions`() async throws {
        var laptop = Browser(world)
        var phone = Browser(world)
        try await laptop.signIn(at: World.hub + "/", as: Self.alice)
        try await phone.signIn(at: World.hub + "/", as: Self.alice)
        #expect(world.gate.store.count == 2)
        try await signOut(laptop)
        #expect(try await !opens(laptop))
        #expect(try await opens(phone))
    }

    @Test func `another person in the same browser ends the session before`() async throws {
        var browser = Browser(world)
        let hers = try await begin(&browser, 1)[0]
        let his = try await begin(&browser, 1, as: Self.bob)[0]
        // At once: neither knows of the other, and what they share joins no two people.
        _ = try await finish(his, browser)
        let first = try await finish(hers, browser)
        #expect(world.gate.store.count == 2 && world.ended.isEmpty)
        // One after the other.
        browser = first
        let start = try await Browser(world).startOnly(World.hub + "/tab9")
        browser.take(start.cookie, host: "hub.example")
        let callback = try #require(world.fake.authorize(start.location, as: Self.bob))
        browser = try await finish(callback, browser)
        #expect(world.ended.map(\.1) == [.switchedUser])
        #expect(world.ended.first?.0.username == "alice")
        #expect(try await !opens(first))
    }

    @Test func `a sign-out ends what the person has at other hosts, and nobody else's`()
        async throws
    {
        var browser = Browser(world)
        try await browser.signIn(at: World.grafana + "/", as: Self.alice)
        try await browser.signIn(at: World.hub + "/", as: Self.alice)
        var phone = Browser(world)
        try await phone.signIn(at: World.hub + "/", as: Self.alice)
        var bob = Browser(world)
        try await bob.signIn(at: World.grafana + "/", as: Self.bob)
        var named = Browser(world)
        try await named.signIn(at: World.grafana + "/", as: World.alice)
        try await signOut(browser)
        #expect(world.ended.count == 2)
        #expect(try await browser.navigate(World.grafana + "/").status == 302)
        #expect(try await opens(phone))
        #expect(try await bob.navigate(World.grafana + "/").passage != nil)
        #expect(try await named.navigate(World.grafana + "/").passage != nil)
    }

    @Test func `what tells browsers is forgotten after a minute, and bounded`() async throws {
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: Self.alice)
        let session = try #require(world.gate.store.all.first)
        var marks = LoginMarks()
        let now = world.clock.instant
        marks.note([[1], [2]], session, now: now)
        #expect(marks.sessions([[2], [3]], now: now + .seconds(59)).count == 1)
        #expect(marks.sessions([[2]], now: now + .seconds(60)).isEmpty)
        marks.note(
            (0..<LoginMarks.capacity - 2).map { [3, UInt8($0 >> 8), UInt8($0 & 255)] },
            session, now: now)
        #expect(marks.count == LoginMarks.capacity)
        marks.note([[4]], session, now: now)
        #expect(marks.sessions([[4]], now: now).isEmpty)
        marks.forget(before: now + .seconds(60))
        #expect(marks.count == 0)
    }
}
