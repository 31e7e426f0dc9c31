import GatehouseBase
import GatehouseNet
import GatehouseTesting
import Testing

/// The TLS streams of one loop share its buffers: what breaks one must not be seen by another.
struct TLSNeighbourTests {
    @Test func `a stream that is reset in mid-write leaves nothing for its neighbour`()
        async throws
    {
        let heard = try await TLSNeighbourTests.afterTrouble { victim in
            victim.reset()
        } notice: { victim in
            let bytes = [UInt8](repeating: 0x78, count: 64 * 1024)
            while true { try await victim.send(bytes) }
        }
        #expect(heard == "still here\n")
    }

    @Test func `a stream that reads a bad record leaves nothing for its neighbour`()
        async throws
    {
        let heard = try await TLSNeighbourTests.afterTrouble { victim in
            // An application record whose tag cannot be right.
            var record = ByteBuffer()
            record.append([23, 3, 3, 0, 32] + [UInt8](repeating: 0, count: 32))
            let isSent = try victim.stream.socket.tryWrite(&record)
            #expect(isSent)
            await #expect(throws: StreamError.self, "the alert") { try await victim.read() }
        } notice: { victim in
            _ = try await victim.read()
        }
        #expect(heard == "still here\n")
    }

    /// Two TLS connections that one loop serves: the first gets into `trouble`, its server notices
    /// and keeps it open; then the second is written to.
    /// - Returns: what the second hears.
    private static func afterTrouble(
        _ trouble: @escaping @Sendable (RawConnection) async throws -> Void,
        notice: @escaping @Sendable (RawConnection) async throws -> Void
    ) async throws -> String {
        let certificate = TestCertificate()
        let isKnown = Delivery<Void>()
        let broken = Delivery<Void>()
        let over = Delivery<Void>()
        let server = try RawServer(tls: try certificate.server()) { connection, _ in
            let role = String(decoding: try await connection.read(count: 6), as: UTF8.self)
            if role == "victim" {
                isKnown.deliver(())
                await #expect(throws: StreamError.self) { try await notice(connection) }
                broken.deliver(())
                await over.value()
            } else {
                await broken.value()
                try await connection.send("still here\n")
                try await connection.send("and again\n")
            }
        }
        let loop = EventLoop(name: "client")
        defer {
            over.deliver(())
            loop.thread.stop()
            server.stop()
        }
        return try await loop.attempt { loop in
            let client = try certificate.client()
            let port = server.port
            let neighbour = try await RawConnection.connect(port: port, tls: client, on: loop)
            let victim = try await RawConnection.connect(port: port, tls: client, on: loop)
            try await neighbour.send("second")
            try await victim.send("victim")
            // A reset takes with it what has not been read yet.
            await isKnown.value()
            try await trouble(victim)
            return String(decoding: try await neighbour.read(until: "\n"), as: UTF8.self)
        }
    }
}
