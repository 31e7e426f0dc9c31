import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct ReturnTargetSpellingsTests {
    // SECURITY-CASES C23, C24, C25.
    @Test(arguments: [
        "//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example", "/%09/evil",
        "/\t/evil", "/.//evil", "/..//evil", "/%2e/%2fevil", "/%2fevil.example", "/%5cevil.example",
        "/%5C%5cevil", "https:evil.example", "https://evil.example/", "https:/evil.example",
        "http://hub.example@evil.example", "https://hub.example.evil/", "https://evilhub.example/",
        "https://hub.example:8443/", "javascript:alert(1)", "data:text/html,x", "evil.example",
        "/a\r\nSet-Cookie: x=y", "/a\nb", "/%0d%0aSet-Cookie:x", "/\u{3002}evil", "/ü", "", "/%00",
        "/%ff", " /a", "/a b", "?x", "#x", "/a#b",
    ])
    func `a return target that could name another host becomes the start page`(text: String) {
        #expect(ReturnTarget.validated(text) == "/")
    }

    // SECURITY-CASES C26.
    @Test(arguments: [
        "/.gatehouse", "/.gatehouse/login", "/.gatehouse/logout?x", "/.gatehouse/callback?code=x",
        "/%2egatehouse/logout", "/.gatehouse%2flogout", "/.gatehouse;x/logout",
        "/%252egatehouse/logout", "/a%2f..%2f.gatehouse/logout",
    ])
    func `a return target of our own becomes the start page`(text: String) {
        #expect(ReturnTarget.validated(text) == "/")
    }

    @Test(arguments: [
        "/", "/lab", "/lab?x=//evil.example", "/user/alice/lab/tree/a%20b.ipynb?reset", "/.gateway",
        "/a?url=https://evil.example", "/;//evil", "/%252f%252fevil.example",
        "/a;x=1", "/%c3%bc", "/.gatehouses",
    ])
    func `a return target of this host stays as it is`(text: String) {
        #expect(ReturnTarget.validated(text) == text)
    }

    // SECURITY-CASES C25.
    @Test
    func `a return target that is too long becomes its path or the start page, no part of it`() {
        let long = String(repeating: "x", count: 899)
        #expect(ReturnTarget.validated("/" + long) == "/" + long)
        #expect(ReturnTarget.validated("/" + long + "x") == "/")
        #expect(ReturnTarget.validated("/a?" + long) == "/a")
        #expect(ReturnTarget.validated("/a?" + String(repeating: "x", count: 3000)) == "/")
        #expect(ReturnTarget.validated(nil) == "/")
    }

    // SECURITY-CASES C23.
    @Test(arguments: ["//evil.example", "https://evil.example/", "/\\evil", "/.gatehouse/logout"])
    func `a login leads to no other host, whatever it is asked for`(target: String) async throws {
        let world = try World()
        var browser = Browser(world)
        let query = FormFields.encode([("rd", target)])
        let end = try await browser.signIn(
            at: World.hub + "/.gatehouse/login?" + query, as: World.alice)
        #expect(end.location == World.hub + "/")
    }
}
