import GatehouseBase
import GatehouseNet
import GatehouseTesting
import Testing

/// A client that goes away takes its request to the upstream along.
struct ClientGoneTests {
    /// When it goes.
    enum Moment: String, Sendable, CaseIterable {
        /// While the upstream says nothing.
        case silent
        /// Between two pieces of an answer.
        case streaming
        /// While an answer comes faster than it is read.
        case flooding
        /// Within its own body.
        case uploading
    }

    /// How it goes.
    enum Way: Sendable, CaseIterable { case close, reset, halfClose }

    private static let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    /// A server that notes when an exchange has begun and when it has ended. The path says what it
    /// does, and names the notes.
    private func server(_ journal: Journal) throws -> RawServer {
        try RawServer { connection, _ in
            let head = try await connection.read(until: "\r\n\r\n")
            let path = String(decoding: head, as: UTF8.self).split(separator: " ")[1]
            defer { journal.note("\(path) ended") }
            let isFlood = path.contains("flooding")
            if isFlood || path.contains("streaming") {
                try await connection.send(ClientGoneTests.head + "5\r\nhello\r\n")
            }
            journal.note("\(path) began")
            if isFlood {
                // Small, so that the server itself sees the end soon.
                let piece = [UInt8](repeating: 0x2E, count: 0x1000)
                let chunk = Array("1000\r\n".utf8) + piece + [0x0D, 0x0A]
                while true { try await connection.send(chunk) }
            }
            _ = await connection.waitForEnd()
        }
    }

    /// Lets a client go.
    /// - Returns: how long its upstream's request lived on.
    private func afterlife(
        _ gateway: TestGateway, _ journal: Journal, _ moment: Moment, _ way: Way,
        on loop: isolated EventLoop
    ) async throws -> Duration {
        let path = "/open/\(moment)/\(way)"
        let client = try await gateway.connect(on: loop)
        if moment == .uploading {
            let fields = [("Content-Length", "1000")]
            try await client.send(gateway.request("POST", path, fields: fields) + "some")
        } else {
            try await client.send(gateway.request("GET", path))
        }
        if moment == .streaming || moment == .flooding {
            _ = try await client.read(until: "hello")
        }
        try await journal.wait(for: "\(path) began", on: loop.core)
        #expect(journal.count("\(path) ended") == 0)
        let gone = Instant.now()
        switch way {
        case .close: client.close()
        case .reset: client.reset()
        case .halfClose: client.finish()
        }
        let ended = try await journal.wait(for: "\(path) ended", on: loop.core)
        // Until here it is kept: who has ended his side only may still be there.
        client.close()
        return ended.since(gone)
    }

    @Test func `the upstream's request ends within a second of the client`() async throws {
        let journal = Journal()
        let server = try server(journal)
        let gateway = try await TestGateway.open(before: server)
        try await EventLoop(name: "client").attempt { loop in
            for moment in Moment.allCases {
                for way in Way.allCases {
                    let duration = try await afterlife(gateway, journal, moment, way, on: loop)
                    #expect(duration < .seconds(1), "\(moment) \(way)")
                }
            }
        }
        await gateway.stop()
        server.stop()
    }
}
