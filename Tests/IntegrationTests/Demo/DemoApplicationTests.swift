import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseTesting
import Testing

struct DemoApplicationTests {
    private func start() throws -> LocalServer {
        var options = DemoApplication.Options()
        options.tick = .milliseconds(1)
        let application = DemoApplication(options)
        return try LocalServer.start { _ in application }
    }

    @Test func `the page shows the user and every field, and escapes them`() async throws {
        let server = try start()
        let page = try await TestClient().send(
            "GET", "http://127.0.0.1:\(server.port)/some/place?x=1",
            fields: [("X-Auth-User", "al%C3%AFce"), ("X-Odd", "<b>&\"'")])
        #expect(page.status == 200)
        #expect(page.text.contains("alïce"))
        #expect(page.text.contains("X-Odd<td>&lt;b&gt;&amp;&quot;&#39;"))
        #expect(page.text.contains("GET /some/place?x=1"))
        #expect(page.text.contains("href=\"/.gatehouse/logout\""))
        let policy = try #require(page["content-security-policy"])
        let nonce = try #require(policy.firstRange(of: "'nonce-"))
        let word = policy[nonce.upperBound...].prefix { $0 != "'" }
        #expect(page.text.contains("<script nonce=\"\(word)\">"))
        await server.stop()
    }

    @Test func `the WebSocket sends everything back and closes with the code it was told`()
        async throws
    {
        let server = try start()
        let port = server.port
        let texts: [String] = try await server.loop.attempt { loop in
            let connection = try await RawConnection.connect(port: port, on: loop)
            let socket = try await WebSocketClient(
                over: connection, target: "/echo", authority: "127.0.0.1:\(port)")
            var texts: [String] = []
            for text in ["one", "", String(repeating: "x", count: 70_000), "ünï"] {
                try await socket.send(text)
                texts.append(try #require(try await socket.receive()).text)
            }
            try await socket.send(WebSocketFrame(.ping, [1, 2]))
            #expect(try await socket.receive() == WebSocketFrame(.pong, [1, 2]))
            try await socket.send(WebSocketFrame(close: 1000))
            #expect(try await socket.receive()?.closeCode == 1000)
            #expect(try await socket.receive() == nil)
            return texts
        }
        #expect(texts.map(\.utf8.count) == [3, 0, 70_000, 5])
        await server.stop()
    }

    @Test func `frames that came with the handshake are answered too`() async throws {
        let server = try start()
        let port = server.port
        let frames: [WebSocketFrame] = try await server.loop.attempt { loop in
            let connection = try await RawConnection.connect(port: port, on: loop)
            let head =
                "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            let early = WebSocketFrame(text: "early").encoded(mask: [1, 2, 3, 4])
            try await connection.send(Array(head.utf8) + early)
            let response = try await connection.response()
            // The example of RFC 6455 §1.3.
            #expect(response["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            var bytes = try await connection.read(count: 7)
            return [try #require(try WebSocketFrame.take(from: &bytes))]
        }
        #expect(frames == [WebSocketFrame(text: "early")])
        await server.stop()
    }

    @Test func `a plain request for the WebSocket is told what is missing`() async throws {
        let server = try start()
        let response = try await TestClient().send("GET", "http://127.0.0.1:\(server.port)/echo")
        #expect(response.status == 426)
        #expect(response["upgrade"] == "websocket")
        await server.stop()
    }

    @Test func `an upload is counted, also in chunks and after an invitation`() async throws {
        let server = try start()
        let url = "http://127.0.0.1:\(server.port)/upload"
        let body = [UInt8](repeating: 7, count: 3_000_000)
        let whole = try await TestClient().send("POST", url, body: body)
        #expect(whole.json?["bytes"]?.number == 3_000_000)
        let port = server.port
        let chunked: WireResponse = try await server.loop.attempt { loop in
            let connection = try await RawConnection.connect(port: port, on: loop)
            try await connection.send(
                "POST /upload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n")
            #expect(
                try await connection.read(until: "\r\n\r\n")
                    == Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
            try await connection.send("5\r\nhello\r\n")
            try await connection.send("3\r\nyou\r\n0\r\n\r\n")
            return try await connection.response()
        }
        #expect(chunked.json?["bytes"]?.number == 8)
        let form = try await TestClient().post(url, [("file", "abc")])
        #expect(form.text.contains("received 8 bytes"))
        await server.stop()
    }

    @Test func `a download has the bytes that were asked for`() async throws {
        let server = try start()
        let url = "http://127.0.0.1:\(server.port)/download"
        for count in [0, 1, 65_536, 1_000_001] {
            let response = try await TestClient().send("GET", url + "?bytes=\(count)")
            #expect(response.isComplete)
            #expect(response.body.count == count)
        }
        for query in ["", "?bytes=-1", "?bytes=x", "?bytes=99999999999"] {
            #expect(try await TestClient().send("GET", url + query).status == 400)
        }
        await server.stop()
    }

    @Test func `events come one after the other until the browser goes away`() async throws {
        let server = try start()
        let port = server.port
        let first: [UInt8] = try await server.loop.attempt { loop in
            let connection = try await RawConnection.connect(port: port, on: loop)
            try await connection.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            let head = try await connection.read(until: "\r\n\r\n")
            #expect(String(decoding: head, as: UTF8.self).contains("text/event-stream"))
            _ = try await connection.read(until: "data: 3 ")
            connection.reset()
            return head
        }
        #expect(!first.isEmpty)
        await server.stop()
    }
}
