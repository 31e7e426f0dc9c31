import GatehouseNet
import GatehouseTesting
import Testing

/// What an upstream may answer to an upgrade, and to a request that was none.
struct UpgradeAnswerTests {
    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    private static let upgrade = [
        ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
    ]

    /// A 101 with these fields, and bytes that must reach nobody.
    private static func switching(_ fields: String) -> String {
        "HTTP/1.1 101 Switching Protocols\r\nX-Secret: secret\r\n\(fields)\r\nsecret"
    }

    /// The fields of the right 101.
    private let accepting = String(
        WebSocketServer.acceptance(of: key).drop { $0 != "\r\n" }.dropFirst())

    /// A server that says at `/open/N` the Nth of `raw`.
    private func server(_ raw: [String], _ journal: Journal) throws -> RawServer {
        try RawServer { connection, _ in
            while true {
                let request = ReceivedRequest(try await connection.request().head)
                guard let number = Int(request.path.split(separator: "/")[1]) else {
                    try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
                    continue
                }
                journal.note("asked")
                try await connection.send(raw[number])
                guard raw[number].hasPrefix("HTTP/1.1 101 ") else { continue }
                let rest = await Ending(of: connection)
                journal.note("\(number) ended after \(rest.bytes.count) bytes")
            }
        }
    }

    /// The answers to one request each of a server that says `raw`. Whatever is left over of one
    /// would spoil the answer to the request that follows.
    private func answers(
        _ raw: [String], _ method: String = "GET", fields: [(String, String)] = [],
        body: String = ""
    ) async throws -> [WireResponse] {
        let journal = Journal()
        let server = try server(raw, journal)
        let gateway = try await TestGateway.open(before: server)
        let answers = try await EventLoop(name: "client").attempt { loop in
            var answers: [WireResponse] = []
            for number in raw.indices {
                let client = try await gateway.connect(on: loop)
                try await client.send(
                    gateway.request(method, "/open/\(number)", fields: fields, body: body))
                let answer = try await client.response()
                if answer["connection"] == "close" {
                    #expect(await Ending(of: client).bytes.isEmpty)
                } else {
                    try await client.send(gateway.request("GET", "/open/good"))
                    #expect(try await client.response().text == "good")
                }
                if answer.status == 502 {
                    try await journal.wait(for: "\(number) ended after 0 bytes", on: loop.core)
                }
                answers.append(answer)
            }
            return answers
        }
        #expect(journal.count("asked") == raw.count)
        await gateway.stop()
        server.stop()
        return answers
    }

    private func expectNothing(of answers: [WireResponse]) {
        for (number, answer) in answers.enumerated() {
            #expect(answer.status == 502, "\(number)")
            #expect(!answer.text.contains("secret"), "\(number)")
            #expect(!answer.fields.contains { $0.value.contains("secret") }, "\(number)")
            #expect(answer.interim.isEmpty, "\(number)")
        }
    }

    @Test func `a 101 that nobody asked for is a 502 and nothing of it passes`() async throws {
        let raw = [UpgradeAnswerTests.switching(""), UpgradeAnswerTests.switching(accepting)]
        expectNothing(of: try await answers(raw))
        expectNothing(of: try await answers(raw, "POST", body: "12345"))
    }

    @Test func `a 101 that does not answer this handshake is a 502 and nothing of it passes`()
        async throws
    {
        let switching = UpgradeAnswerTests.switching
        let raw = [
            switching(""),
            switching("Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            switching("Connection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: x\r\n"),
            switching(accepting + "Content-Length: 6\r\n"),
            switching(accepting.replacing("Accept: s3pPLM", with: "Accept: S3pPLM")),
            switching(accepting + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
        ]
        expectNothing(of: try await answers(raw, fields: UpgradeAnswerTests.upgrade))
    }

    @Test func `a refused upgrade is a whole answer of the upstream's`() async throws {
        let raw = ["HTTP/1.1 403 Forbidden\r\nX-Why: policy\r\nContent-Length: 7\r\n\r\nrefused"]
        let refused = try await answers(raw, fields: UpgradeAnswerTests.upgrade)[0]
        #expect(refused.status == 403)
        #expect(refused["x-why"] == "policy")
        #expect(refused.text == "refused")
    }

    @Test func `the right 101 opens a tunnel, and what came early is its first bytes`()
        async throws
    {
        let server = try RawServer { connection, _ in
            let socket = try await WebSocketServer(over: connection)
            try await socket.send(WebSocketFrame(text: "early"))
            while let frame = try await socket.receive() { try await socket.send(frame) }
        }
        let gateway = try await TestGateway.open(before: server)
        try await EventLoop(name: "client").attempt { loop in
            let socket = try await WebSocketClient(
                over: try await gateway.connect(on: loop), target: "/open/ws",
                authority: gateway.authority)
            #expect(try await socket.receive()?.text == "early")
            try await socket.send("and back")
            #expect(try await socket.receive()?.text == "and back")
        }
        await gateway.stop()
        server.stop()
    }
}
