import GatehouseHTTP
import GatehouseNet
import GatehouseTesting
import Testing

/// Answers without a body: to strangers, and of upstreams that send one all the same.
struct BodilessAnswerTests {
    /// What a stranger may ask for.
    private static let questions: [(method: String, fields: [(String, String)], body: String)] = [
        ("HEAD", [], ""), ("GET", [("If-None-Match", "*")], ""),
        ("GET", [("Range", "bytes=0-")], ""),
        ("POST", [("Expect", "100-continue"), ("Content-Length", "5")], ""),
        ("POST", [("Expect", "100-continue"), ("Content-Length", "5")], "12345"),
        ("POST", [("Content-Length", "1000")], "1"),
        ("OPTIONS", [("Origin", "https://evil.example")], ""),
    ]

    @Test func `a stranger gets no byte of a private answer, whatever he asks for`()
        async throws
    {
        let upstream = FakeUpstream()
        let gateway = try await TestGateway { _ in upstream }
        let alice = try await gateway.browser(of: "alice")
        upstream.forget()
        try await alice.loop.attempt { loop in
            for (method, fields, body) in BodilessAnswerTests.questions {
                for version in ["HTTP/1.1", "HTTP/1.0"] {
                    let client = try await gateway.connect(on: loop)
                    let head = gateway.request(method, "/x", fields: fields, version: version)
                    try await client.send(head + body)
                    let answer = try await client.response(to: method == "HEAD" ? .head : .get)
                    #expect(answer.status == 401, "\(method) \(fields)")
                    #expect(answer.interim.isEmpty, "\(method) \(fields)")
                    #expect(!answer.text.contains("hello"), "\(method) \(fields)")
                    client.finish()
                    #expect(await Ending(of: client).bytes.isEmpty, "\(method) \(fields)")
                }
            }
        }
        #expect(upstream.count() == 0)
        #expect(try await alice.send("GET", gateway.publicURL + "/x").text == "hello from /x")
        await gateway.stop()
    }

    private static let secret = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"

    /// What upstreams say that answer too much.
    private static let answers: [(method: String, raw: String, status: Int)] = [
        ("HEAD", secret, 200),
        (
            "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n0\r\n\r\n",
            200
        ),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nsecret", 304),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\nsecret", 204),
        ("GET", "HTTP/1.1 103 Early Hints\r\n\r\nsecret" + secret, 502),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood" + secret, 200),
    ]

    private func server(_ journal: Journal) throws -> RawServer {
        try RawServer { connection, _ in
            while true {
                let request = ReceivedRequest(try await connection.request().head)
                guard let number = Int(request.path.split(separator: "/")[1]) else {
                    try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
                    continue
                }
                try await connection.send(BodilessAnswerTests.answers[number].raw)
                _ = await connection.waitForEnd()
                journal.note("\(number) ended")
                return
            }
        }
    }

    @Test func `bytes that belong to no answer reach nobody`() async throws {
        let journal = Journal()
        let server = try server(journal)
        let gateway = try await TestGateway.open(before: server)
        try await EventLoop(name: "client").attempt { loop in
            for (number, (method, raw, status)) in BodilessAnswerTests.answers.enumerated() {
                let client = try await gateway.connect(on: loop)
                try await client.send(gateway.request(method, "/open/\(number)"))
                let answer = try await client.response(to: method == "HEAD" ? .head : .get)
                #expect(answer.status == status, "\(raw)")
                #expect(!answer.text.contains("secret"), "\(raw)")
                // The connection that said too much is closed; nobody meets what was left on it.
                try await journal.wait(for: "\(number) ended", on: loop.core)
                for connection in [try await gateway.connect(on: loop), client]
                where connection !== client || answer["connection"] != "close" {
                    try await connection.send(gateway.request("GET", "/open/good"))
                    #expect(try await connection.response().text == "good", "\(raw)")
                }
            }
        }
        await gateway.stop()
        server.stop()
    }
}
