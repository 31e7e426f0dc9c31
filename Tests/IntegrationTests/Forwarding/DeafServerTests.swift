import GatehouseBase
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// WebSockets to servers that read no more.
struct DeafServerTests {
    private func proxy(
        _ server: RawServer, _ tls: ClientTLS? = nil, _ limits: Limits = Limits(),
        _ tunnels: Journal? = nil
    ) throws -> LocalServer {
        let target = UpstreamTarget(
            host: "127.0.0.1", port: server.port, tls: tls, connectTimeout: .seconds(5))
        return try ForwardingServer.start(target, limits: limits, tunnels: tunnels)
    }

    /// As Tornado does it with a message that is too large: 1009, and the end, while the client is
    /// still sending.
    @Test(arguments: [false, true])
    func `the reason that a server gives before it closes reaches the client`(
        isSecure: Bool
    ) async throws {
        let certificate = TestCertificate()
        let close: [UInt8] = [0x88, 2, 0x03, 0xF1]
        let server = try RawServer(tls: isSecure ? certificate.server() : nil) { connection, _ in
            let socket = try await WebSocketServer(over: connection)
            _ = try await socket.connection.read(count: 1000)
            try await socket.connection.send(close)
            socket.connection.close()
        }
        let proxy = try proxy(server, isSecure ? certificate.client() : nil)
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            for _ in 0..<20 {
                let client = try await RawConnection.connect(port: port, on: loop)
                try await client.send(ForwardingServer.upgrade)
                _ = try await client.read(until: "\r\n\r\n")
                let core = loop.core
                core.fork {
                    let head: [UInt8] = [0x82, 255, 0, 0, 0, 0, 1, 49, 45, 0, 0, 0, 0, 0]
                    try? await client.send(head)
                    let piece = [UInt8](repeating: 0x61, count: 200_000)
                    for _ in 0..<100 { try? await client.send(piece) }
                }
                #expect(try await client.read(count: 4) == close)
                client.close()
            }
        }
        await proxy.stop()
        server.stop()
    }

    @Test func `for a client that has gone a server that reads nothing is not waited for`()
        async throws
    {
        let tunnels = Journal()
        let server = try RawServer { connection, loop in
            _ = try await WebSocketServer(over: connection)
            try await tunnels.wait(for: "ended", within: .seconds(30), on: loop.core)
        }
        var limits = Limits()
        limits.halfClosed = .milliseconds(300)
        let proxy = try proxy(server, nil, limits, tunnels)
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            let client = try await RawConnection.connect(port: port, on: loop)
            try await client.send(ForwardingServer.upgrade)
            _ = try await client.read(until: "\r\n\r\n")
            let core = loop.core
            core.fork {
                try? await client.send([UInt8](repeating: 0x61, count: 50_000_000))
            }
            await EventLoop.sleep(.milliseconds(500), on: loop.core)
            // For a client that is there it may take its time.
            #expect(tunnels.count("ended") == 0)
            client.reset()
            try await tunnels.wait(for: "ended", within: .seconds(10), on: loop.core)
        }
        await proxy.stop()
        server.stop()
    }
}
