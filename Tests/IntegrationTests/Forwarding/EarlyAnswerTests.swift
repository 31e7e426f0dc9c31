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
