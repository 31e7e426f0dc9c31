import GatehouseBase
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// An answer that comes before the request's body has ended.
struct EarlyAnswerTests {
    /// A server that answers 413 to a head, reads no more and closes: its answer and a reset come
    /// while the body is still on its way.
    @Test(arguments: [false, true])
    func `it reaches the client although the server takes no more of the body`(
        isSecure: Bool
    ) async throws {
        let certificate = TestCertificate()
        let server = try RawServer(tls: isSecure ? certificate.server() : nil) { connection, _ in
            _ = try await connection.read(until: "\r\n\r\n")
            try await connection.send(
                "HTTP/1.1 413 Too large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
            connection.close()
        }
        let proxy = try ForwardingServer.start(
            UpstreamTarget(
                host: "127.0.0.1", port: server.port, tls: isSecure ? certificate.client() : nil,
                connectTimeout: .seconds(5)))
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            for _ in 0..<20 {
                let client = try await RawConnection.connect(port: port, on: loop)
                let core = loop.core
                core.fork {
                    let head = "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n"
                    try? await client.send(head)
                    let piece = [UInt8](repeating: 0x61, count: 200_000)
                    for _ in 0..<100 { try? await client.send(piece) }
                }
                let answer = try await client.response()
                #expect(answer.status == 413 && answer.text == "no")
                client.close()
            }
        }
        await proxy.stop()
        server.stop()
    }

    /// Where the rest of the body is when the answer comes.
    enum Rest: String, CaseIterable { case notSent, atTheServersDoor }

    @Test(arguments: Rest.allCases)
    func `whoever waits for the end has it soon, and the server too`(rest: Rest) async throws {
        let ended = Journal()
        let server = try RawServer { connection, loop in
            _ = try await connection.read(until: "\r\n\r\n")
            // What was sent after it has filled the sockets between.
            if rest == .atTheServersDoor {
                await EventLoop.sleep(.milliseconds(500), on: loop.core)
            }
            try await connection.send("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno")
            if rest == .notSent { _ = await connection.waitForEnd() }
            ended.note("ended")
            try await ended.wait(for: "over", within: .seconds(30), on: loop.core)
        }
        var limits = Limits()
        limits.lingerTime = .milliseconds(200)
        let proxy = try ForwardingServer.start(
            UpstreamTarget(
                host: "127.0.0.1", port: server.port, tls: nil, connectTimeout: .seconds(5)),
            limits: limits)
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            let client = try await RawConnection.connect(port: port, on: loop)
            let core = loop.core
            core.fork {
                let head = "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n"
                try? await client.send(head)
                guard rest == .atTheServersDoor else { return }
                let piece = [UInt8](repeating: 0x61, count: 200_000)
                for _ in 0..<250 { try? await client.send(piece) }
            }
            #expect(try await client.response().status == 401)
            let answered = Instant.now()
            _ = await client.waitForEnd()
            #expect(Instant.now().since(answered) < .seconds(10))
            try await ended.wait(for: "ended", within: .seconds(10), on: loop.core)
            ended.note("over")
            client.close()
        }
        await proxy.stop()
        server.stop()
    }

    @Test func `the client is told that its connection ends, and it does`() async throws {
        let server = try RawServer { connection, _ in
            while true {
                let head = try await connection.read(until: "\r\n\r\n")
                let isEarly = String(decoding: head, as: UTF8.self).hasPrefix("POST /early ")
                if !isEarly { _ = try await connection.read(count: 10) }
                try await connection.send(
                    "HTTP/1.1 \(isEarly ? 401 : 200) Well\r\nContent-Length: 2\r\n\r\nno")
                if isEarly { _ = await connection.waitForEnd() }
            }
        }
        let proxy = try ForwardingServer.start(
            UpstreamTarget(
                host: "127.0.0.1", port: server.port, tls: nil, connectTimeout: .seconds(5)))
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            let client = try await RawConnection.connect(port: port, on: loop)
            let head = " HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
            try await client.send("POST /whole" + head + "0123456789")
            let whole = try await client.response()
            #expect(whole["connection"] == nil)
            try await client.send("POST /early" + head + "012")
            let early = try await client.response()
            #expect(early.status == 401 && early.text == "no")
            #expect(early["connection"] == "close")
            #expect(await Ending(of: client).bytes.isEmpty)
            client.close()
        }
        await proxy.stop()
        server.stop()
    }
}
