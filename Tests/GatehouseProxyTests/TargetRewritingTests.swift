import GatehouseBase
import Testing

@testable import GatehouseProxy

struct TargetRewritingTests {
    /// What the upstream at a URL gets.
    private func rewritten(
        _ target: String, to url: String, cutting prefix: String
    ) throws -> String {
        let url = try #require(TargetURL(parsing: url))
        let rewriting = TargetRewriting(
            path: url.path, isFolder: url.isFolder, query: url.query, cutting: Array(prefix.utf8))
        var buffer = ByteBuffer()
        rewriting.append(Array(target.utf8).span, to: &buffer)
        return buffer.withReadable { $0.repairedText }
    }

    /// As configurable-http-proxy 5.3 does it.
    @Test(arguments: [
        ("/bar", "/t"), ("/bar?x=1", "/t?x=1"), ("/bar/", "/t/"), ("/bar/?x=1", "/t/?x=1"),
        ("/bar/y", "/t/y"), ("/b%61r", "/t"), ("/bar%2F", "/t/%2F"),
    ])
    func `the prefix itself is the upstream's path, without a slash more`(
        target: String, expected: String
    ) throws {
        #expect(try rewritten(target, to: "http://h/t", cutting: "/bar") == expected)
    }

    @Test(arguments: [
        ("/bar", "http://h/t/", "/t/"), ("/bar?x", "http://h/t/", "/t/?x"),
        ("/bar/y", "http://h/t/", "/t/y"), ("/bar", "http://h", "/"),
        ("/bar?x", "http://h/", "/?x"), ("/bar", "http://h/a/b", "/a/b"),
        ("/bar?y", "http://h/t?x", "/t?x&y"),
    ])
    func `the slash behind the upstream's own path stays`(
        target: String, url: String, expected: String
    ) throws {
        #expect(try rewritten(target, to: url, cutting: "/bar") == expected)
    }
}
