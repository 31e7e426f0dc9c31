import GatehouseBase
import Testing

@testable import GatehouseHTTP

/// `Forwarded` of a trusted front (RFC 7239).
struct ForwardedTests {
    private func read(_ values: [String], host: String = "in") throws -> ClientOrigin {
        let reader = FrontReader(
            .forwarded, trusted: [try Network(parsing: "10.0.0.0/8")],
            publicURLs: [try Origin(parsing: "https://hub.example")])
        let lines = values.map { "Forwarded: \($0)\r\n" }.joined()
        return try reader.origin(
            of: parseRequest("GET / HTTP/1.1\r\nHost: \(host)\r\n\(lines)\r\n"))
    }

    private func origin(
        _ address: String?, _ isHTTPS: Bool? = nil, _ host: String? = nil
    ) -> ClientOrigin {
        ClientOrigin(
            address: address.flatMap { IPAddress(parsing: $0) }, isHTTPS: isHTTPS,
            host: host.map { Array($0.utf8) })
    }

    @Test func `the element that names the client says scheme and host too`() throws {
        let cases: [([String], ClientOrigin)] = [
            ([], origin(nil)), (["for=203.0.113.7"], origin("203.0.113.7")),
            (
                ["For=203.0.113.7; PROTO=https;Host=hub.example"],
                origin("203.0.113.7", true, "hub.example")
            ),
            (["for=\"[2001:db8::7]:4711\";proto=http"], origin("2001:db8::7", false)),
            (["for=\"203.0.113.7:80\""], origin("203.0.113.7")),
            (["for=\"203.0.113.7:_x\""], origin("203.0.113.7")),
            (["for=\"[::ffff:203.0.113.7]\""], origin("203.0.113.7")),
            (["for=\"203.0\\.113.7\""], origin("203.0.113.7")),
            (["for=6.6.6.6;proto=https, for=203.0.113.7"], origin("203.0.113.7")),
            (
                ["for=6.6.6.6;host=evil.example", "for=203.0.113.7;proto=https"],
                origin("203.0.113.7", true)
            ),
            (
                ["for=203.0.113.7;proto=https , for=10.0.0.2;proto=http;host=inner"],
                origin("203.0.113.7", true)
            ),
            (["for=10.0.0.1;proto=https, for=10.0.0.2"], origin("10.0.0.1", true)),
            (
                ["by=203.0.113.60;for=203.0.113.7;ext=\"a,b;c\\\"\";proto=https"],
                origin("203.0.113.7", true)
            ),
            ([" , for=203.0.113.7,"], origin("203.0.113.7")),
            (["for=203.0.113.7;;proto=https;"], origin("203.0.113.7", true)),
            (
                ["for=203.0.113.7;host=\"hub.example:8443\""],
                origin("203.0.113.7", nil, "hub.example:8443")
            ),
        ]
        for (values, expected) in cases { #expect(try read(values) == expected, "\(values)") }
    }

    @Test func `who hides its client is the last that can be named`() throws {
        let cases: [([String], ClientOrigin)] = [
            (["for=unknown;proto=https"], origin(nil, true)), (["for=_hidden"], origin(nil)),
            (["for=\"_hidden:_port\""], origin(nil)), (["for=\"unknown:80\""], origin(nil)),
            (["proto=https"], origin(nil, true)), ([";"], origin(nil)),
            (["for=6.6.6.6, proto=https"], origin(nil, true)),
            (["for=6.6.6.6, for=unknown"], origin(nil)),
            (
                ["for=6.6.6.6, for=_x;proto=https, for=10.0.0.2;proto=http"],
                origin("10.0.0.2", true)
            ),
        ]
        for (values, expected) in cases { #expect(try read(values) == expected, "\(values)") }
    }

    @Test(arguments: [
        "", ",", "for", "for=", "=1.2.3.4", "for 1.2.3.4", "for = 1.2.3.4", "for= 1.2.3.4",
        "for=1.2.3.4;for=1.2.3.4",
        "for=1.2.3.4;FOR=1.2.3.5", "for=1.2.3.4 proto=https", "for=1.2.3.4:80", "for=[::1]",
        "for=::1", "for=\"::1\"", "for=\"[::1\"", "for=\"[1.2.3.4]\"", "for=1.2.3.256",
        "for=\"1.2.3.4", "for=\"1.2.3.4\\", "for=\"\"", "for=\" 1.2.3.4\"", "for=\"1.2.3.4:\"",
        "for=\"1.2.3.4:65536\"", "for=junk", "for=_", "for=\"_a b\"", "for=\"un known\"",
        "proto=ftp", "proto=\"\"", "proto=https;proto=http", "host=\"a b\"", "host=\"a/b\"",
        "host=\"a@b\"", "host=\"\"", "for=1.2.3.4\"x\"", "\"for\"=1.2.3.4", "for==1.2.3.4",
        // A client's own part, before what the front adds.
        "for=\"6.6.6.6, for=203.0.113.7", "for=\"6.6.6.6, for=\"[2001:db8::7]\"",
        "junk, for=203.0.113.7", "for=6.6.6.6;proto=\", for=203.0.113.7;proto=https",
    ])
    func `one malformed element spoils the whole field`(value: String) {
        #expect(throws: MessageError(.forwarded)) { try read([value]) }
        #expect(throws: MessageError(.forwarded)) { try read([value, "for=junk"]) }
    }

    @Test func `the other fields are not its own`() throws {
        let reader = FrontReader(.forwarded, trusted: [try Network(parsing: "127.0.0.1")])
        let head = try request(
            "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: junk", "X-Scheme: https",
            "X-Forwarded-Host: a, b", "CF-Connecting-IP: 6.6.6.6, 7", "X-Real-IP: 6.6.6.6")
        #expect(try reader.origin(of: head) == ClientOrigin())
    }

    @Test func `host of Forwarded puts back what was rewritten and nothing else`() throws {
        let value = "for=203.0.113.7;host=hub.example"
        #expect(try read([value], host: "in").host == Array("hub.example".utf8))
        #expect(try read([value], host: "hub.example").host == nil)
        let evil = "for=203.0.113.7;host=evil.example"
        #expect(try read([evil], host: "hub.example").host == nil)
    }
}
