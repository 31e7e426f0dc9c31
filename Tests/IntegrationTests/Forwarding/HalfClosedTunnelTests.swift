import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// A tunnel of which one side has ended.
struct HalfClosedTunnelTests {
    /// What a client gets that ends its side at once, from a server that speaks `times` times.
    private func heard(times: Int, every pause: Duration) async throws -> (Int, Duration) {
        let server = try RawServer { connection, loop in
            let socket = try await WebSocketServer(over: connection)
            for _ in 0..<times {
                await EventLoop.sleep(pause, on: loop.core)
                try await socket.send(WebSocketFrame(text: "x"))
            }
            // It never ends its side.
            await EventLoop.sleep(.seconds(8), on: loop.core)
        }
        var limits = Limits()
        limits.halfClosed = .milliseconds(500)
        let target = UpstreamTarget(
            host: "127.0.0.1", port: server.port, tls: nil, connectTimeout: .seconds(5))
        let proxy = try ForwardingServer.start(target, limits: limits)
        let port = proxy.port
        let found = try await EventLoop(name: "client").attempt { loop in
            let client = try await RawConnection.connect(port: port, on: loop)
            try await client.send(ForwardingServer.upgrade)
            _ = try await client.read(until: "\r\n\r\n")
            client.finish()
            let began = Instant.now()
            let ending = await Ending(of: client)
            client.close()
            return (ending.bytes.count, Instant.now().since(began))
        }
        await proxy.stop()
        server.stop()
        return found
    }

    @Test func `who is left goes on for as long as he speaks`() async throws {
        // Three bytes a frame, over more than twice the limit of silence.
        #expect(try await heard(times: 12, every: .milliseconds(100)).0 == 36)
    }

    @Test func `who is left and silent is cut`() async throws {
        let (count, time) = try await heard(times: 1, every: .milliseconds(50))
        #expect(count == 3)
        #expect(time < .seconds(5))
    }
}
