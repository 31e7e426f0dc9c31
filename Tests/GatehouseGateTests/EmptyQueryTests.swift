import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct EmptyQueryTests {
    // SECURITY-CASES C37.
    @Test(arguments: [
        "", "?", "?&", "?=", "?&&=&", "?iss=&state=", "?rd", "?rd=", "?token=", "?token=%ff",
        "?csrf=&csrf=", "?%", "?a=%zz",
    ])
    func `odd queries at our endpoints end nothing and pass nothing`(query: String) async throws {
        let world = try World()
        var browser = Browser(world)
        var stranger = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        for name in ["login", "callback", "logout", "logged-out", "session", "nothing", "healthz"] {
            let url = World.hub + "/.gatehouse/" + name + query
            #expect(try await stranger.navigate(url).passage == nil)
            #expect(try await browser.navigate(url).passage == nil)
            #expect(try await browser.send("GET", url, Browser.script).passage == nil)
            #expect(try await browser.send("POST", url).passage == nil)
        }
        #expect(world.ended.isEmpty)
        #expect(world.gate.store.count == 1)
    }
}
