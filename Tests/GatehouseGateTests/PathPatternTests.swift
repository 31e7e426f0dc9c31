import GatehouseBase
import Testing

@testable import GatehouseGate

@Suite struct PathPatternTests {
    private func matches(_ pattern: String, _ path: String) throws -> Bool {
        let compiled = try #require(PathPattern(pattern))
        let bytes = Array(path.utf8)
        let plain = compiled.matches(plain: bytes.span)
        #expect(plain == compiled.matches(PathReading.plainSegments(of: bytes.span)))
        return plain
    }

    @Test(arguments: [
        ("/", "/"), ("/**", "/"), ("/**", "/a/b"), ("/admin/**", "/admin"),
        ("/admin/**", "/admin/"), ("/admin/**", "/admin/x/y"), ("/admin", "/admin/"),
        ("/user/*/**", "/user/alice"), ("/user/*/**", "/user/alice/lab"), ("/*", "/a"),
        ("/a/*/c", "/a/b/c"),
    ])
    func `a pattern matches`(pattern: String, path: String) throws {
        #expect(try matches(pattern, path))
    }

    @Test(arguments: [
        ("/", "/a"), ("/admin/**", "/administrator"), ("/admin/**", "/adm"), ("/admin", "/admin/x"),
        ("/user/*/**", "/user"), ("/user/*/**", "/user/"), ("/*", "/"), ("/*", "/a/b"),
        ("/a", "/A"), ("/a/*/c", "/a/c"), ("/a/b", "/a"),
    ])
    func `a pattern does not match`(pattern: String, path: String) throws {
        #expect(try !matches(pattern, path))
    }

    // SECURITY-CASES A24.
    @Test(arguments: ["", "admin", "/**/x", "/a*", "/a//b", "/a/", "/.", "/a/..", "^/a.*$"])
    func `what is no pattern is refused`(text: String) {
        #expect(PathPattern(text) == nil)
    }
}
