import GatehouseBase
import Testing

@testable import GatehouseHTTP

@Suite struct AuthorityTests {
    @Test(arguments: [
        "hub.example", "HUB", "hub.example.", "a_b", "127.0.0.1", "hub:80", "hub:", "hub:65535",
        "[::1]", "[2001:db8::1]:8443", "[::ffff:127.0.0.1]", "a-b.c",
    ])
    func `a host with at most one port is one`(text: String) {
        #expect(isValid(text))
    }

    @Test(arguments: [
        "", ":", ":80", "hub:65536", "hub:99999", "hub:000080", "hub:8a", "hub: 80", "a b", "a@b",
        "a/b", "a,b", "a#b", "a?b", "a<b", "a:1:2", "[::1", "[]", "[:]", "[::g]", "[::1]80",
        "[::1]:x", "ü", "a%20b", "*", "a\\b", "\"a\"", "::1",
    ])
    func `anything else is none`(text: String) {
        #expect(!isValid(text))
    }

    @Test func `case does not count`() {
        #expect(areEqual("Hub.Example:80", "hub.example:80"))
        #expect(!areEqual("hub", "hub:80") && !areEqual("a[", "a{"))
    }

    private func isValid(_ text: String) -> Bool { Authority.isValid(Array(text.utf8).span) }

    private func areEqual(_ left: String, _ right: String) -> Bool {
        Authority.areEqual(Array(left.utf8).span, Array(right.utf8).span)
    }
}
