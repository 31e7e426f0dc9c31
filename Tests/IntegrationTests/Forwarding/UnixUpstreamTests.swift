import GatehouseBase
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// Upstreams at UNIX sockets.
struct UnixUpstreamTests {
    private let certificate = TestCertificate()

    @Test func `a request goes to a UNIX socket as it would go to a port`() async throws {
        let path = certificate.directory + "/up.sock"
        let upstream = FakeUpstream()
        let server = try LocalServer.start(LocalPort(socketPath: path)) { _ in upstream }
        let target = try #require(
            UpstreamTarget(socketPath: path, connectTimeout: .seconds(5)))
        let proxy = try ForwardingServer.start(target)
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            let client = try await RawConnection.connect(port: port, on: loop)
            for turn in 1...2 {
                try await client.send("GET /x?\(turn) HTTP/1.1\r\nHost: hub.example\r\n\r\n")
                #expect(try await client.response().text == "hello from /x")
            }
            client.close()
            let old = try await RawConnection.connect(port: port, on: loop)
            try await old.send("GET /old HTTP/1.0\r\n\r\n")
            #expect(try await old.response().text == "hello from /old")
        }
        #expect(upstream.requests.map(\.target) == ["/x?1", "/x?2", "/old"])
        #expect(
            upstream.requests.map { $0["Host"] } == ["hub.example", "hub.example", "localhost"])
        await proxy.stop()
        await server.stop()
    }

    @Test func `a socket that nobody serves is an upstream that refuses`() async throws {
        let target = try #require(
            UpstreamTarget(
                socketPath: certificate.directory + "/none.sock", connectTimeout: .seconds(5)))
        let proxy = try ForwardingServer.start(target)
        let answer = try await TestClient().send("GET", "http://localhost:\(proxy.port)/")
        #expect(answer.status == 502)
        #expect(answer.text == "connect_refused")
        await proxy.stop()
    }
}
