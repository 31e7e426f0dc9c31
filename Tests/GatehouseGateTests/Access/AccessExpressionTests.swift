import GatehouseBase
import Testing

@testable import GatehouseGate

@Suite struct AccessExpressionTests {
    private static let path = [reading("/user/alice/lab")]

    private static func reading(_ path: String) -> PathSegments {
        PathReading.plainSegments(of: Array(path.utf8).span)
    }

    // SECURITY-CASES G08.
    @Test(arguments: [
        (AccessExpression.signedIn, true), (.anyone, true), (.deny, false),
        (.user("alice"), false), (.group("/admins"), false), (.realmRole("admin"), false),
        (.clientRole(client: "hub", role: "admin"), false), (.pathUser(segment: 2), true),
        (.pathUser(segment: 1), false), (.pathUser(segment: 0), false),
        (.pathUser(segment: 9), false), (.any([]), false), (.all([]), false),
        (.any([.group("/admins"), .signedIn]), true),
        (.any([.group("/admins"), .user("alice")]), false),
        (.any([.user("root"), .pathUser(segment: 2)]), true),
        (.all([.signedIn, .pathUser(segment: 2)]), true),
        (.all([.signedIn, .group("/admins")]), false),
        (.all([.any([.group("/admins"), .pathUser(segment: 2)]), .signedIn]), true),
        (.any([.all([.signedIn, .user("alice")]), .deny]), false),
    ])
    func `a token of JupyterHub's satisfies signed_in and path_user, alone and combined`(
        expression: AccessExpression, isAllowed: Bool
    ) {
        #expect(expression.allows(.user("alice"), readings: Self.path) == isAllowed)
    }

    // SECURITY-CASES G08.
    @Test func `a path is nobody else's, no service's, and the same in all readings`() {
        let rule = AccessExpression.pathUser(segment: 2)
        #expect(rule.allows(.user("alice"), readings: Self.path))
        #expect(!rule.allows(.user("bob"), readings: Self.path))
        #expect(!rule.allows(.service("alice"), readings: Self.path))
        #expect(AccessExpression.signedIn.allows(.service("alice"), readings: Self.path))
        #expect(!rule.allows(.user("alice"), readings: []))
        let other = Self.reading("/user/bob/lab")
        #expect(!rule.allows(.user("alice"), readings: Self.path + [other]))
        // One letter, or two code points: other bytes, another name.
        let accented = [Self.reading("/user/e\u{301}")]
        #expect(!rule.allows(.user("\u{e9}"), readings: accented))
    }
}
