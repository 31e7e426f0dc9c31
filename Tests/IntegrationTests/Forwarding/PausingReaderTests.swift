import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// Readers that pause for longer than the limit of a stall, and take up again.
struct PausingReaderTests {
    private static let length = 32 << 20

    private func target(_ server: RawServer) -> UpstreamTarget {
        UpstreamTarget(host: "127.0.0.1", port: server.port, tls: nil, connectTimeout: .seconds(5))
    }

    private func limits(stall: Duration?) -> Limits {
        var limits = Limits()
        limits.writeStall = stall
        return limits
    }

    /// Reads until `count` bytes have come, or the end.
    private static func count(_ count: Int, from connection: RawConnection) async -> Int {
        var sum = 0
        do {
            while sum < count, let more = try await connection.read() { sum += more.count }
        } catch {}
        return sum
    }

    /// How many bytes of a long answer a client gets that pauses before it reads.
    private func download(stall: Duration?) async throws -> Int {
        let server = try RawServer { connection, _ in
            _ = try await connection.request()
            try await connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: \(PausingReaderTests.length)\r\n\r\n")
            try await connection.send([UInt8](repeating: 0x2E, count: PausingReaderTests.length))
        }
        let proxy = try ForwardingServer.start(target(server), limits: limits(stall: stall))
        let port = proxy.port
        let count = try await EventLoop(name: "client").attempt { loop in
            let client = try await RawConnection.connect(port: port, on: loop)
            try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try await client.read(until: "\r\n\r\n")
            await EventLoop.sleep(.milliseconds(600), on: loop.core)
            let count = await PausingReaderTests.count(PausingReaderTests.length, from: client)
            client.close()
            return count
        }
        await proxy.stop()
        server.stop()
        return count
    }

    @Test func `a client that pauses gets the whole answer where nothing limits that`()
        async throws
    {
        #expect(try await download(stall: nil) == PausingReaderTests.length)
    }

    @Test func `a client that pauses for too long is cut where there is a limit`() async throws {
        #expect(try await download(stall: .milliseconds(200)) < PausingReaderTests.length)
    }

    @Test func `a target that pauses gets the whole upload, and the pause is not the client's`()
        async throws
    {
        let length = PausingReaderTests.length
        let server = try RawServer { connection, loop in
            _ = try await connection.read(until: "\r\n\r\n")
            await EventLoop.sleep(.milliseconds(2100), on: loop.core)
            guard await PausingReaderTests.count(length, from: connection) == length else { return }
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        var limits = limits(stall: nil)
        // Far more than what comes in the time of the pause.
        limits.bodyRate = 1 << 23
        limits.bodyRateGrace = .milliseconds(500)
        let proxy = try ForwardingServer.start(target(server), limits: limits)
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            let client = try await RawConnection.connect(port: port, on: loop)
            try await client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: \(length)\r\n\r\n")
            try await client.send([UInt8](repeating: 0x2E, count: length))
            let answer = try await client.response()
            #expect(answer.status == 200)
            client.close()
        }
        await proxy.stop()
        server.stop()
    }

    @Test func `a WebSocket whose reader pauses goes on, whatever the limit of a stall is`()
        async throws
    {
        let length = PausingReaderTests.length
        let server = try RawServer { connection, _ in
            let socket = try await WebSocketServer(over: connection)
            // One frame, far larger than what the kernel holds.
            let digits = [24, 16, 8, 0].map { UInt8(length >> $0 & 0xFF) }
            let head: [UInt8] = [0x82, 127, 0, 0, 0, 0] + digits
            try await socket.connection.send(head + [UInt8](repeating: 0x2E, count: length))
            _ = await connection.waitForEnd()
        }
        let proxy = try ForwardingServer.start(
            target(server), limits: limits(stall: .milliseconds(200)))
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            let client = try await RawConnection.connect(port: port, on: loop)
            try await client.send(ForwardingServer.upgrade)
            _ = try await client.read(until: "\r\n\r\n")
            await EventLoop.sleep(.milliseconds(600), on: loop.core)
            #expect(await PausingReaderTests.count(length + 10, from: client) == length + 10)
            client.close()
        }
        await proxy.stop()
        server.stop()
    }
}
