import GatehouseNet
import GatehouseTesting
import Testing

/// Frames that come together with the handshake, from either side.
struct EarlyBytesTests {
    @Test func `no byte that comes with a handshake is lost`() async throws {
        let fromClient = WebSocketFrame(text: "early, from the client").encoded(mask: [9, 8, 7, 6])
        let fromServer = WebSocketFrame(text: "early, from the server").encoded()
        let server = try RawServer { connection, _ in
            let head = try await connection.read(until: "\r\n\r\n")
            let text = String(decoding: head, as: UTF8.self)
            let key = text.split(separator: "\r\n").first {
                $0.lowercased().hasPrefix("sec-websocket-key: ")
            }
            let accept = WebSocketAccept.value(for: String(key?.dropFirst(19) ?? ""))
            let answer =
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: \(accept)\r\n\r\n"
            try await connection.send(Array(answer.utf8) + fromServer)
            // What the client sent goes back as it came.
            var received: [UInt8] = []
            while received.count < fromClient.count, let more = try await connection.read() {
                received += more
            }
            try await connection.send(received)
            _ = await connection.waitForEnd()
        }
        let gateway = try await TestGateway.open(before: server)
        try await EventLoop(name: "client").attempt { loop in
            let connection = try await gateway.connect(on: loop)
            let fields = [
                ("Upgrade", "websocket"), ("Connection", "Upgrade"),
                ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ]
            let head = gateway.request("GET", "/open/socket", fields: fields)
            try await connection.send(Array(head.utf8) + fromClient)
            let answer = try await connection.read(until: "\r\n\r\n")
            #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 101 "))
            var tunnelled: [UInt8] = []
            while tunnelled.count < fromServer.count + fromClient.count,
                let more = try await connection.read()
            {
                tunnelled += more
            }
            #expect(tunnelled == fromServer + fromClient)
        }
        await gateway.stop()
        server.stop()
    }
}
