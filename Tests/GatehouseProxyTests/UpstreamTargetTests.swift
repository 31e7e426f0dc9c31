import GatehouseNet
import Testing

@testable import GatehouseProxy

struct UpstreamTargetTests {
    private func target(_ host: String, _ port: UInt16, tls: ClientTLS? = nil) -> UpstreamTarget {
        UpstreamTarget(host: host, port: port, tls: tls, connectTimeout: .seconds(5))
    }

    private func host(_ target: UpstreamTarget) -> String {
        String(decoding: target.hostField, as: UTF8.self)
    }

    @Test func `a target is written as its URL`() throws {
        let tls = try ClientTLS(insecureSkipVerify: true)
        #expect(target("hub", 80).description == "http://hub:80")
        #expect(target("::1", 8081).description == "http://[::1]:8081")
        #expect(target("hub", 443, tls: tls).description == "https://hub:443")
        #expect(host(target("hub", 80)) == "hub")
        #expect(host(target("hub", 443)) == "hub:443")
        #expect(host(target("hub", 443, tls: tls)) == "hub")
        #expect(host(target("::1", 8081)) == "[::1]:8081")
    }

    @Test func `a UNIX socket is a target without a port`() throws {
        let target = try #require(
            UpstreamTarget(socketPath: "/run/user 1.sock", connectTimeout: .seconds(5)))
        #expect(target.description == "http+unix://%2Frun%2Fuser%201.sock")
        #expect(host(target) == "localhost")
        #expect(target.socketPath == "/run/user 1.sock")
        #expect(target.port == 0)
        #expect(self.target("/run/user.sock", 80).socketPath == nil)
        for path in ["", "/a\0b", "/" + String(repeating: "x", count: 107)] {
            #expect(UpstreamTarget(socketPath: path, connectTimeout: .seconds(5)) == nil)
        }
    }

    @Test func `times and numbers come out as they went in`() {
        let bare = target("hub", 80)
        #expect(bare.firstByteTimeout == nil)
        #expect(bare.responseIdle == nil)
        #expect(bare.maximumConnections == nil)
        let full = UpstreamTarget(
            host: "hub", port: 80, tls: nil, connectTimeout: .milliseconds(1500),
            firstByteTimeout: .zero, responseIdle: .seconds(3600), maximumConnections: 7)
        #expect(full.connectTimeout == .milliseconds(1500))
        #expect(full.firstByteTimeout == .zero)
        #expect(full.responseIdle == .seconds(3600))
        #expect(full.maximumConnections == 7)
    }

    /// There may be a hundred thousand.
    @Test func `a target takes at most 56 bytes`() {
        final class Number { let number = 1 }
        #expect(instanceSize(of: Number.self) == 24)
        #expect(instanceSize(of: UpstreamTarget.self) <= 56)
    }

    /// What the runtime asks malloc for: the size follows two pointers, flags and an address point
    /// in a class's metadata. What malloc gives says less, for it may be a larger piece left over.
    private func instanceSize(of type: AnyObject.Type) -> UInt32 {
        // Sound: a class is a pointer to its metadata, which is longer than that and never goes.
        unsafe unsafeBitCast(type, to: UnsafeRawPointer.self)
            .load(fromByteOffset: 24, as: UInt32.self)
    }
}
