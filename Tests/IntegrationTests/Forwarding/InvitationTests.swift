import GatehouseBase
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// Clients that wait for `100 Continue` before they send their body.
struct InvitationTests {
    /// When a target says 100.
    enum Word: String, Sendable, CaseIterable { case never, atOnce, late, twice }

    private func proxy(_ server: RawServer) throws -> LocalServer {
        var limits = Limits()
        limits.continueTime = .milliseconds(300)
        return try ForwardingServer.start(
            UpstreamTarget(
                host: "127.0.0.1", port: server.port, tls: nil, connectTimeout: .seconds(5)),
            limits: limits)
    }

    private let request =
        "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"

    @Test(arguments: Word.allCases)
    func `a client that waits is told once to go on, whatever the target says`(word: Word)
        async throws
    {
        let server = try RawServer { connection, loop in
            let head = try await connection.read(until: "\r\n\r\n")
            #expect(String(decoding: head, as: UTF8.self).contains("100-continue"))
            let go = "HTTP/1.1 100 Continue\r\n\r\n"
            switch word {
            case .never: break
            case .atOnce: try await connection.send(go)
            case .twice: try await connection.send(go + go)
            case .late:
                await EventLoop.sleep(.milliseconds(600), on: loop.core)
                try await connection.send(go)
            }
            let body = try await connection.read(count: 4)
            try await connection.send(
                Array("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n".utf8) + body)
        }
        let proxy = try proxy(server)
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            let client = try await RawConnection.connect(port: port, on: loop)
            client.patience = .seconds(5)
            try await client.send(request)
            let first = try await client.read(until: "\r\n\r\n")
            #expect(String(decoding: first, as: UTF8.self) == "HTTP/1.1 100 Continue\r\n\r\n")
            if word == .late { await EventLoop.sleep(.milliseconds(600), on: loop.core) }
            try await client.send("body")
            let answer = try await client.response()
            #expect(answer.interim.isEmpty)
            #expect(answer.status == 200 && answer.text == "body")
            client.close()
        }
        await proxy.stop()
        server.stop()
    }

    @Test func `an answer in place of a 100 comes alone, a body that comes by itself needs none`()
        async throws
    {
        let server = try RawServer { connection, loop in
            let head = try await connection.read(until: "\r\n\r\n")
            if String(decoding: head, as: UTF8.self).hasPrefix("PUT") {
                _ = try await connection.read(count: 4)
                await EventLoop.sleep(.milliseconds(600), on: loop.core)
            }
            try await connection.send("HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno")
            _ = await connection.waitForEnd()
        }
        let proxy = try proxy(server)
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            for text in [request, "PUT" + request.dropFirst(4) + "body"] {
                let client = try await RawConnection.connect(port: port, on: loop)
                try await client.send(text)
                let answer = try await client.response()
                #expect(answer.status == 417)
                #expect(answer.interim.isEmpty)
                client.close()
            }
        }
        await proxy.stop()
        server.stop()
    }
}
