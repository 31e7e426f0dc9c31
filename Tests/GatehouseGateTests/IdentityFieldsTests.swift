import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct IdentityFieldsTests {
    // SECURITY-CASES B06, B08.
    @Test(arguments: [
        ("bob", "bob"), ("bob\r\nX-Admin: 1", "bob%0D%0AX-Admin: 1"), ("a\rb", "a%0Db"),
        ("a\u{0}b", "a%00b"), ("ü", "%C3%BC"), ("100%", "100%25"), (" bob ", "%20bob%20"),
        ("a b", "a b"), ("a,b", "a%2Cb"), ("\u{7f}", "%7F"),
    ])
    func `a text is encoded so that it cannot end a line`(text: String, value: String) {
        #expect(IdentityFields.value(of: .string(text)) == value)
        #expect(Fields.isValid(value: value))
        #expect(PercentCoding.decode(value) == text)
    }

    // SECURITY-CASES B07.
    @Test func `a comma within an element cannot make two of it`() {
        #expect(IdentityFields.value(of: ["a,admins", "b"]) == "a%2Cadmins,b")
        // Where a provider writes a list of one as a text, too.
        #expect(IdentityFields.value(of: "a,admins") == "a%2Cadmins")
    }

    @Test func `other claims are numbers, truth values or no field`() {
        #expect(IdentityFields.value(of: 7) == "7")
        #expect(IdentityFields.value(of: true) == "true")
        #expect(IdentityFields.value(of: .null) == nil)
        #expect(IdentityFields.value(of: ["a": 1]) == nil)
        #expect(IdentityFields.value(of: .array([])) == nil)
        #expect(IdentityFields.value(of: ["a", .null]) == nil)
        let claims: JSONValue = ["realm_access": ["roles": ["x"]], "a.b": "flat"]
        #expect(IdentityFields.lookUp("realm_access.roles", in: claims) == ["x"])
        #expect(IdentityFields.lookUp("a.b", in: claims) == "flat")
        #expect(IdentityFields.lookUp("none.such", in: claims) == nil)
    }

    // SECURITY-CASES B02, B08.
    @Test func `a route's fields go along, and too much of them is a page`() async throws {
        let world = try World()
        var person = World.alice
        person.groups = ["/staff", "a,b"]
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: person)
        let route = RouteIdentity(identityHeaders: [
            ("X-Forwarded-User", "preferred_username"), ("X-Groups", "groups"),
            ("X-Missing", "email"),
        ])
        let answer = try await browser.navigate(World.hub + "/x", route: route)
        let set = try #require(answer.passage?.edits.set)
        #expect(set.count == 2)
        #expect(set.value(at: 0).text == "alice")
        #expect(set.value(at: 1).text == "/staff,a%2Cb")
        person.groups = (0..<1000).map { "/group-\($0)" }
        var large = Browser(world)
        try await large.signIn(at: World.hub + "/", as: person)
        let page = try await large.navigate(World.hub + "/x", route: route)
        #expect(page.status == 500)
        guard case .identityTooLarge? = page.page else {
            Issue.record("not the page that says so")
            return
        }
    }
}
