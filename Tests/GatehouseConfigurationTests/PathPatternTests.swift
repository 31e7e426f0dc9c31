import GatehouseConfiguration
import Testing

struct PathPatternTests {
    @Test(arguments: [
        "/", "/**", "/*", "/hub", "/hub/**", "/user/*/**", "/user/*/lab", "/a.b/c-d/e~f/@g:h,i=j!",
        "/grüße/**", "/.well-known/x",
    ])
    func `a pattern is written as it was read`(_ text: String) throws {
        #expect(try PathPattern(parsing: text).description == text)
    }

    @Test func `a pattern is segments and perhaps the rest`() throws {
        #expect(
            try PathPattern(parsing: "/user/*/**")
                == PathPattern(segments: [.literal("user"), .any], coversRest: true))
        #expect(try PathPattern(parsing: "/") == PathPattern(segments: [], coversRest: false))
        #expect(try PathPattern(parsing: "/**") == PathPattern(segments: [], coversRest: true))
    }

    @Test(arguments: [
        "", "hub", "**", "*", "/**/x", "/a/**/b", "/**/**", "/a*", "/*a", "/***", "/a//b", "//",
        "/a/", "/.", "/..", "/a/..", "/a/./b", "/^a", "/a$", "/(a|b)", "/[ab]", "/a{2}", "/a+",
        "/a\\b", "/a?b", "/a#b", "/a%41", "/a;b", "/a b", "/a\tb", "/a\u{0}b", "/a\u{85}b",
        "/.gatehouse", "/.gatehouse/**",
    ])
    func `whatever could be read in two ways is refused`(_ text: String) {
        #expect(throws: PathPattern.ParseError.self) { try PathPattern(parsing: text) }
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
        let wide = try PathPattern(parsing: wide)
        #expect(wide.covers(try PathPattern(parsing: narrow)) == covers)
    }
}
