import CLinux
import Glibc
import Testing

@testable import GatehouseNet

struct BindingTests {
    /// What a machine without IPv6 says to whoever asks for it.
    private func withoutIPv6(_ family: Int32, _ flags: Int32) -> Int32 {
        guard family == AF_INET6 else { return socket(family, flags, 0) }
        errno = EAFNOSUPPORT
        return -1
    }

    private func bind(_ ip: String) throws -> Address {
        let address = try #require(Address(ip: ip, port: 0))
        let (files, bound) = try Binding.tcp(address, count: 2, open: withoutIPv6)
        #expect(files.count == 2)
        for file in files { close(file) }
        return bound
    }

    @Test func `everywhere is everywhere in IPv4 on a machine without IPv6`() throws {
        let bound = try bind("::")
        #expect(bound.host == "0.0.0.0")
        #expect(bound.port != 0)
    }

    @Test func `another address of IPv6 is an error there, and one of IPv4 is not touched`()
        throws
    {
        #expect(throws: ListenError.self) { try bind("::1") }
        #expect(try bind("127.0.0.1").host == "127.0.0.1")
    }
}
