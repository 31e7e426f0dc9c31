import Testing

@testable import GatehouseNet

struct AddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:80"), ("::1", "::1", "[::1]:80"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1:80"),
    ])
    func `an internet address is told without port`(
        text: String, ip: String, shown: String
    ) throws {
        let address = try #require(Address(ip: text, port: 80))
        #expect(address.ip == ip)
        #expect(address.host == ip)
        #expect(address.description == shown)
        #expect(address.path == nil)
    }

    @Test func `a UNIX socket has a path and no address`() throws {
        let address = try #require(Address(path: "/run/hub.sock"))
        #expect(address.ip == nil)
        #expect(address.host == "unix")
        #expect(address.path == "/run/hub.sock")
        #expect(address.description == "unix:/run/hub.sock")
        #expect(address.port == 0)
    }

    @Test func `a path of 107 bytes is one, of 108 none`() throws {
        let longest = "/" + String(repeating: "x", count: 106)
        #expect(try #require(Address(path: longest)).path == longest)
        #expect(Address(path: longest + "x") == nil)
        #expect(Address(path: "") == nil)
        #expect(Address(path: "/a\0b") == nil)
    }
}
