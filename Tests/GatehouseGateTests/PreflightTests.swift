import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct PreflightTests {
    private let preflight = [
        ("Origin", "https://evil.example"), ("Access-Control-Request-Method", "GET"),
        ("Sec-Fetch-Mode", "cors"), ("X-Forwarded-User", "root"), ("X_Groups", "/admins"),
    ]

    // SECURITY-CASES A20.
    @Test func `a preflight is no way in`() async throws {
        let world = try World()
        var browser = Browser(world)
        let answer = try await browser.send("OPTIONS", World.hub + "/private", preflight)
        #expect(answer.status == 401)
        #expect(answer.passage == nil)
        #expect(answer.cookies.isEmpty)
    }

    // SECURITY-CASES A20.
    @Test func `where a rule lets a preflight pass it carries no identity`() async throws {
        let world = try World(access: [
            AccessRule(
                pattern: try #require(PathPattern("/**")), methods: ["OPTIONS"], allow: .anyone),
            AccessRule(pattern: try #require(PathPattern("/**")), allow: .signedIn),
        ])
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let route = RouteIdentity(identityHeaders: [
            (name: "X-Forwarded-User", claim: "preferred_username")
        ])
        let open = try await browser.send(
            "OPTIONS", World.hub + "/private", preflight, route: route)
        let passage = try #require(open.passage)
        #expect(passage.session == nil)
        #expect(passage.edits.set.isEmpty)
        let shut = try await browser.navigate(World.hub + "/private", route: route)
        #expect(shut.passage?.edits.set.isEmpty == false)
    }
}
