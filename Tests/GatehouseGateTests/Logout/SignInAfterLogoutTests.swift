import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC
import GatehouseTesting
import Testing

@testable import GatehouseGate

/// Signing in within ten minutes of a logout while the provider's own session lives on.
@Suite struct SignInAfterLogoutTests {
    private static let link = [
        ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-User", "?1"), ("Accept", "text/html"),
    ]

    private let world: World

    init() throws { world = try World() }

    private func alice(signedIn authTime: Double?) -> FakeProvider.Person {
        var person = World.alice
        person.authTime = authTime
        return person
    }

    /// Ends the session of `browser` by way of a link, or by a logout token with or without `sid`.
    private func end(_ browser: inout Browser, _ way: String) async throws {
        let before = world.ended.count
        if way == "link" {
            let answer = try await browser.send(
                "GET", World.hub + "/.gatehouse/logout", Self.link)
            #expect(answer.status == 302)
        } else {
            let claims = world.fake.logoutClaims(
                sid: way == "sid" ? "sid-a" : nil, sub: "a-1", jti: "j\(before)")
            #expect(await world.postLogout(world.fake.signer.token(.object(claims))).status == 200)
        }
        #expect(world.ended.count == before + 1 && world.gate.store.count == 0)
    }

    /// Comes back as `person` from a login that is barred: the one that asks for the password.
    private func askedAgain(
        _ browser: inout Browser, _ start: Outcome, _ person: FakeProvider.Person
    ) async throws -> Outcome {
        let again = try await browser.navigate(try world.fake.callback(start, as: person))
        #expect(again.status == 302 && again.location?.contains("prompt=login") == true)
        #expect(world.gate.store.count == 0)
        return again
    }

    /// A login that asks for the password, since the one before it was barred.
    private func asked(
        _ browser: inout Browser, _ person: FakeProvider.Person
    ) async throws -> Outcome {
        let start = try await browser.navigate(World.hub + "/lab")
        #expect(start.status == 302 && start.location?.contains("prompt=") == false)
        return try await askedAgain(&browser, start, person)
    }

    /// Another browser of the same provider's session: asked, it comes back as `person`, in vain.
    private func staysOut(_ old: FakeProvider.Person, as person: FakeProvider.Person) async throws {
        var other = Browser(world)
        let again = try await asked(&other, old)
        _ = try await askedAgain(&other, again, person)
    }

    /// Comes back as `person`, is signed in, and gets what needs it.
    private func getsIn(
        _ browser: inout Browser, _ start: Outcome, _ person: FakeProvider.Person
    ) async throws {
        let answer = try await browser.navigate(try world.fake.callback(start, as: person))
        #expect(answer.status == 302 && answer.location == World.hub + "/lab")
        #expect(try await browser.navigate(World.hub + "/lab").passage != nil)
    }

    // SECURITY-CASES E05, E21.
    @Test(arguments: ["link", "sid", "sub"])
    func `without auth_time whoever is asked again after a logout gets in`(by way: String)
        async throws
    {
        let person = alice(signedIn: nil)
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/lab", as: person)
        try await end(&browser, way)
        // No second, so that a login at once is seen to come after.
        world.clock.advance(by: .milliseconds(2))
        let again = try await asked(&browser, person)
        try await getsIn(&browser, again, person)
        // That he is in says nothing of a browser that was not asked.
        var other = Browser(world)
        let silent = try await other.navigate(World.hub + "/lab")
        let answer = try await other.navigate(try world.fake.callback(silent, as: person))
        #expect(answer.location?.contains("prompt=login") == true && other.session() == nil)
    }

    // SECURITY-CASES E05, E21.
    @Test(arguments: ["link", "sid", "sub"])
    func `a login that was started before the logout stays out, though it was asked again`(
        by way: String
    ) async throws {
        let person = alice(signedIn: nil)
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/lab", as: person)
        try await end(&browser, way)
        world.clock.advance(by: .seconds(1))
        let slow = try await asked(&browser, person)
        // Another tab is faster, and signs out again.
        let fast = try await asked(&browser, person)
        try await getsIn(&browser, fast, person)
        world.clock.advance(by: .seconds(1))
        try await end(&browser, way)
        world.clock.advance(by: .seconds(60))
        let next = try await askedAgain(&browser, slow, person)
        try await getsIn(&browser, next, person)
    }

    // SECURITY-CASES E05.
    @Test(arguments: [-40.0, 0, 40])
    func `after a sign-out a fresh password gets in and an old one does not, whatever the skew`(
        skew: Double
    ) async throws {
        var browser = Browser(world)
        let old = alice(signedIn: world.clock.timestamp.seconds + skew - 600)
        try await browser.signIn(at: World.hub + "/lab", as: old)
        try await end(&browser, "link")
        world.clock.advance(by: .seconds(2))
        // The provider does not ask, though we do.
        try await staysOut(old, as: old)
        let again = try await asked(&browser, old)
        world.clock.advance(by: .seconds(5))
        let fresh = alice(signedIn: world.clock.timestamp.seconds + skew)
        try await getsIn(&browser, again, fresh)
    }

    // SECURITY-CASES E05.
    @Test func `auth_time may lie as far back as clock_skew says, and no second more`()
        async throws
    {
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/lab", as: World.alice)
        try await end(&browser, "link")
        world.clock.advance(by: .seconds(10))
        let started = world.clock.timestamp.seconds
        // Who was not asked gets nothing of it.
        let old = alice(signedIn: started - 15)
        try await staysOut(old, as: alice(signedIn: started - 61))
        let again = try await asked(&browser, old)
        try await getsIn(&browser, again, alice(signedIn: started - 60))
    }

    // SECURITY-CASES E21.
    @Test(arguments: ["sid", "sub"])
    func `a logout token's time is the provider's, and no skew is allowed for`(by way: String)
        async throws
    {
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/lab", as: World.alice)
        try await end(&browser, way)
        let issued = world.clock.timestamp.seconds
        world.clock.advance(by: .seconds(10))
        try await staysOut(World.alice, as: alice(signedIn: issued))
        let again = try await asked(&browser, World.alice)
        try await getsIn(&browser, again, alice(signedIn: issued + 1))
        // Signed out here as well: each is held against its own rule.
        try await end(&browser, "link")
        world.clock.advance(by: .seconds(10))
        try await staysOut(World.alice, as: alice(signedIn: issued))
        let both = try await asked(&browser, alice(signedIn: issued + 1))
        try await getsIn(&browser, both, alice(signedIn: issued + 1))
    }
}
