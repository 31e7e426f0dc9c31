import GatehouseConfiguration
import Testing

struct RulePathTests {
    @Test(arguments: [
        "/", "/**", "/*", "/hub", "/hub/**", "/user/*/**", "/user/*/lab", "/a.b/c-d/e~f/@g:h,i=j!",
        "/grüße/**", "/my hub/**", "/.well-known/x",
    ])
    func `a pattern is written as it was read`(_ text: String) throws {
        #expect(try RulePath(parsing: text).description == text)
    }

    @Test func `a pattern is segments and perhaps the rest`() throws {
        #expect(
            try RulePath(parsing: "/user/*/**")
                == RulePath(segments: [.literal("user"), .any], coversRest: true))
        #expect(try RulePath(parsing: "/") == RulePath(segments: [], coversRest: false))
        #expect(try RulePath(parsing: "/**") == RulePath(segments: [], coversRest: true))
    }

    @Test(arguments: [
        "", "hub", "**", "*", "/**/x", "/a/**/b", "/**/**", "/a*", "/*a", "/***", "/a//b", "//",
        "/a/", "/.", "/..", "/a/..", "/a/./b", "/^a", "/a$", "/(a|b)", "/[ab]", "/a{2}", "/a+",
        "/a\\b", "/a?b", "/a#b", "/a%41", "/a;b", "/ a", "/a /b", "/a/ ", "/a\tb", "/a\u{0}b",
        "/a\u{85}b",
        "/.gatehouse", "/.gatehouse/**",
    ])
    func `whatever could be read in two ways is refused`(_ text: String) {
        #expect(throws: RulePath.ParseError.self) { try RulePath(parsing: text) }
    }

    @Test(arguments: [
        ("/**", "/", true), ("/**", "/a/b", true), ("/**", "/**", true), ("/a/**", "/a", true),
        ("/a/**", "/a/b/**", true), ("/a/**", "/**", false), ("/a/**", "/b/**", false),
        ("/*", "/a", true), ("/a", "/*", false), ("/*", "/a/b", false), ("/*", "/", false),
        ("/*/**", "/a", true), ("/*/**", "/", false), ("/*/**", "/**", false),
        ("/a", "/a/**", false), ("/a", "/a", true), ("/user/*/**", "/user/alice/lab", true),
        ("/user/*/**", "/user/**", false),
    ])
    func `one pattern covers another if it covers every path of it`(
        _ wide: String, _ narrow: String, _ covers: Bool
    ) throws {
        let wide = try RulePath(parsing: wide)
        #expect(wide.covers(try RulePath(parsing: narrow)) == covers)
    }
}
