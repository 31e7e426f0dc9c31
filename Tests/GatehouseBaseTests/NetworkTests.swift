import GatehouseBase
import Testing

struct NetworkTests {
    private func network(_ text: String) throws -> Network { try Network(parsing: text) }

    private func failure(_ text: String) -> Network.ParseError? {
        do throws(Network.ParseError) {
            _ = try Network(parsing: text)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7/32", "192.0.2.7"), ("172.16.0.0/12", "172.16.0.0/12"),
        ("255.255.255.255", "255.255.255.255"), ("::1", "::1"), ("::", "::"), ("::/0", "::/0"),
        ("FD00::/8", "fd00::/8"), ("fe80::1", "fe80::1"), ("1::", "1::"),
        ("2001:db8:0:0:0:0:0:1/128", "2001:db8::1"), ("2001:0db8:0:1::/64", "2001:db8:0:1::/64"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ])
    func `networks and addresses are read and written`(_ text: String, _ written: String) throws {
        #expect(try network(text).description == written)
        #expect(try network(written) == network(text))
    }

    @Test(arguments: [
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"), ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:0201/128", "192.0.2.1"), ("::ffff:0:0/96", "0.0.0.0/0"),
    ])
    func `an IPv4 network in IPv6 is the IPv4 network`(_ text: String, _ written: String) throws {
        #expect(try network(text).description == written)
        #expect(failure("::ffff:0:0/95")?.hint.contains("IPv4 network itself") == true)
    }

    @Test(arguments: [
        "", "/", "/8", "10", "10.0.0", "10.0.0.0.0", "10.0.0.256", "010.0.0.0", "10.0.0.00",
        "+1.0.0.0", "0x7f.0.0.1", "10..0.0", "10.0.0.0 ", " 10.0.0.0", "10.0.0.0\n", "1.2.3.4:80",
        "localhost", "unix", "*", ":", ":::", "::1::", "1::2::3", "1:2:3:4:5:6:7", ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:", "1::3:4:5:6:7:8:9", "::1:2:3:4:5:6:7:8", "12345::",
        "g::", "fe80::1%eth0", "[::1]", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0/ 8",
        "10.0.0.0/255.0.0.0", "::/129", "fd00::/0x8", "１0.0.0.0", "10.0.0.0\u{301}",
    ])
    func `what is none is refused`(_ text: String) throws {
        #expect(failure(text) != nil)
    }

    @Test func `what is refused has a remedy`() {
        let both = failure("10.1.2.3/8")
        #expect(both?.message == "it has bits set beyond its first 8")
        #expect(
            both?.hint
                == "write '10.0.0.0/8' for the network, or '10.1.2.3' for the one address")
        #expect(
            failure("fd00::1/64")?.hint
                == "write 'fd00::/64' for the network, or 'fd00::1' for the one address")
        #expect(failure("::ffff:10.0.0.1/104")?.hint.hasPrefix("write '10.0.0.0/8'") == true)
        #expect(failure("0.0.0.1/0")?.hint.hasPrefix("write '0.0.0.0/0'") == true)
        #expect(failure("[::1]")?.hint == "write it without brackets")
        #expect(failure("fe80::1%eth0")?.hint == "write it without '%' and the zone")
        #expect(failure("10.0.0/8")?.hint.hasPrefix("four numbers up to 255") == true)
        #expect(failure("::/129")?.message.hasSuffix("from 0 to 128") == true)
        #expect(failure("10.0.0.0/255.0.0.0")?.hint == "such as '10.0.0.0/8'")
    }

    @Test func `a network contains what lies in it`() throws {
        let ten = try network("10.0.0.0/9")
        #expect(ten.contains([10, 0, 0, 0]) && ten.contains([10, 127, 255, 255]))
        #expect(!ten.contains([10, 128, 0, 0]) && !ten.contains([11, 0, 0, 0]))
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 1, 2, 3]
        #expect(ten.contains(mapped))
        let every = try network("::/0")
        #expect(!every.contains(mapped) && !every.contains([10, 1, 2, 3]) && !every.contains([]))
        #expect(every.contains([UInt8](repeating: 0xFE, count: 16)))
        let one = try network("::1")
        #expect(one.contains([UInt8](repeating: 0, count: 15) + [1]))
        #expect(!one.contains([UInt8](repeating: 0, count: 15) + [2]))
    }
}
