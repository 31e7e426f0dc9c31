import GatehouseBase
import Testing

struct OriginTests {
    @Test(arguments: [
        ("https://hub.example.org", "https://hub.example.org"),
        ("HTTPS://Hub.Example.ORG:443", "https://hub.example.org"),
        ("https://hub.example.org.", "https://hub.example.org"),
        ("http://hub:80", "http://hub"),
        ("http://hub:443", "http://hub:443"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("http://my_service:3000", "http://my_service:3000"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("http://[::1]:8081", "http://[::1]:8081"),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
        ("http://[::ffff:10.0.0.1]", "http://[::ffff:10.0.0.1]"),
        ("http://[1:2:3:4:5:6:7:8]", "http://[1:2:3:4:5:6:7:8]"),
    ])
    func `an origin is written in its shortest form and reads back`(
        _ text: String, _ description: String
    ) throws {
        let origin = try Origin(parsing: text)
        #expect(origin.description == description)
        #expect(try Origin(parsing: description) == origin)
    }

    @Test(arguments: [
        ("hub.example.org", Origin.ParseError.noScheme),
        ("ftp://hub", .noScheme),
        ("//hub", .noScheme),
        ("", .noScheme),
        ("https://", .host),
        ("https://alice@hub", .userInformation),
        ("https://alice:secret@hub", .userInformation),
        ("https://hub/", .path),
        ("https://hub/hub", .path),
        ("https://hub?x=1", .path),
        ("https://hub#x", .path),
        ("https://hub\\evil", .path),
        ("https://hub:", .port),
        ("https://hub:0", .port),
        ("https://hub:65536", .port),
        ("https://hub:+80", .port),
        ("https://hub:80:80", .port),
        ("https://hub..example", .host),
        ("https://.hub", .host),
        ("https://h%75b", .host),
        ("https://hüb", .host),
        ("https://hub example", .host),
        ("https://1.2.3", .host),
        ("https://256.1.1.1", .host),
        ("https://[::1", .host),
        ("https://[::1]x", .host),
        ("https://[1::2::3]", .host),
        ("https://[1:2:3:4:5:6:7:8:9]", .host),
        ("https://[1:2:3:4:5:6:7:8::]", .host),
        ("https://[:::]", .host),
        ("https://[fe80::1%25eth0]", .host),
    ])
    func `what is more or less than an origin is refused`(
        _ text: String, _ reason: Origin.ParseError
    ) {
        #expect(throws: reason) { try Origin(parsing: text) }
    }

    @Test func `the authority names the port only where it is not the default`() throws {
        #expect(try Origin(parsing: "https://hub:443").authority == "hub")
        #expect(try Origin(parsing: "https://hub:8443").authority == "hub:8443")
        #expect(try Origin(parsing: "https://[::1]:8443").authority == "[::1]:8443")
    }

    @Test(arguments: [
        ("http://localhost", true), ("http://app-a.localhost:8443", true),
        ("http://127.9.9.9", true), ("http://[::1]", true),
        ("http://127.example.org", false), ("http://notlocalhost", false),
        ("http://10.0.0.1", false), ("http://[::2]", false),
    ])
    func `loopback is told by name and address`(_ text: String, _ expected: Bool) throws {
        #expect(try Origin(parsing: text).isLoopback == expected)
    }
}
