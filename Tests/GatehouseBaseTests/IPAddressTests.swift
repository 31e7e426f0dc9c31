import GatehouseBase
import Testing

struct IPAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
        ("1:0:0:0:2:0:0:3", "1::2:0:0:3"), ("fe80::1", "fe80::1"), ("1::8", "1::8"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("0:1:0:1:0:1:0:1", "0:1:0:1:0:1:0:1"),
    ])
    func `an address has one text`(written: String, text: String) throws {
        let address = try #require(IPAddress(parsing: written))
        #expect(address.description == text)
        #expect(IPAddress(parsing: text) == address)
    }

    @Test(arguments: ["::ffff:192.0.2.1", "::FFFF:c000:201", "0:0:0:0:0:ffff:192.0.2.1"])
    func `an IPv4 address in IPv6 is the IPv4 address`(written: String) throws {
        #expect(IPAddress(parsing: written) == IPAddress(parsing: "192.0.2.1"))
        #expect(IPAddress(parsing: written)?.description == "192.0.2.1")
    }

    @Test(arguments: [
        "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "01.2.3.4", "1.2.3.4 ",
        " 1.2.3.4", "1.2.3.", ".1.2.3", "1..2.3", "0x7f.0.0.1", "1.2.3.4:80", "1.2.3.1000",
        "+1.2.3.4",
        "1.2.3.-4", ":", ":::", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "[::1]", "[::1]:80", "::1%eth0",
        "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.256", "1.2.3.4::", "localhost",
        "1.2.3.4\u{0}", "１.2.3.4", "::1/128", "unknown", "_hidden", "unix:",
    ])
    func `what is not exactly one address is none`(text: String) {
        #expect(IPAddress(parsing: text) == nil)
    }

    @Test func `every address reads back from its text`() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let groups = (0..<8).map { _ in
                Bool.random(using: &random) ? 0 : UInt16.random(in: 0...0xFFFF, using: &random)
            }
            let long = groups.map { String($0, radix: 16) }.joined(separator: ":")
            let address = try #require(IPAddress(parsing: long))
            #expect(IPAddress(parsing: address.description) == address)
        }
    }
}
