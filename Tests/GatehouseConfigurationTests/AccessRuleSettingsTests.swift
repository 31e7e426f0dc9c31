import GatehouseConfiguration
import Testing

struct AccessRuleSettingsTests {
    private func rule(
        _ host: String?, _ path: String, _ methods: [String]?
    ) throws -> AccessRuleSettings {
        AccessRuleSettings(
            host: host, path: try RulePath(parsing: path), methods: methods, allow: .anyone)
    }

    @Test func `a rule covers another if host, path and methods do`() throws {
        let any = try rule(nil, "/**", nil)
        let host = try rule("a.example.org", "/**", nil)
        let get = try rule(nil, "/**", ["GET", "HEAD"])
        let narrow = try rule("a.example.org", "/x", ["GET"])
        #expect(any.covers(host) && any.covers(get) && any.covers(narrow))
        #expect(host.covers(narrow) && get.covers(narrow))
        #expect(!host.covers(any) && !get.covers(any) && !narrow.covers(host))
        let other = try rule("b.example.org", "/x", ["GET"])
        #expect(!get.covers(host) && !host.covers(other))
        #expect(!get.covers(try rule(nil, "/x", ["GET", "POST"])))
    }

    @Test(arguments: [
        (AllowExpression.anyone, false), (.deny, false), (.signedIn, true), (.user("a"), true),
        (.pathUser(segment: 2), true), (.any([.group("/a")]), true), (.all([.signedIn]), true),
    ])
    func `an expression tells whether it needs somebody to be signed in`(
        _ expression: AllowExpression, _ needs: Bool
    ) {
        #expect(expression.needsSession == needs)
    }
}
