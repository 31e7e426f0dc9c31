import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// An answer that comes before the request's body has ended.
struct EarlyAnswerTests {
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
