import GatehouseNet
import GatehouseTesting
import Testing

/// What becomes of a request whose upstream connection dies before the first byte of an answer.
struct UpstreamRetryTests {
    /// How a server leaves a request without an answer.
    enum Death: Sendable, CaseIterable { case close, reset, halfHead }

    /// A server that answers `/open/good` and dies of `/open/fatal` on its first connections. It
    /// notes connections and requests.
    private func server(
        _ journal: Journal, _ death: Death, fatalConnections: Int
    ) throws -> RawServer {
        try RawServer { connection, _ in
            let number = journal.note("connection")
            while true {
                let (head, body) = try await connection.request()
                let request = ReceivedRequest(head)
                journal.note("\(number) \(request.method) \(request.path) \(body.count)")
                if request.path == "/open/fatal", number <= fatalConnections {
                    if death == .halfHead { try await connection.send("HTTP/1.1 200 OK\r\nA: ") }
                    return death == .reset ? connection.reset() : connection.close()
                }
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            }
        }
    }

    /// Sends a good request and then a fatal one, which so meets a reused connection.
    private func answers(
        _ journal: Journal, _ death: Death, fatalConnections: Int, reused: Bool = true,
        _ method: String = "GET", body: String = ""
    ) async throws -> WireResponse {
        let server = try server(journal, death, fatalConnections: fatalConnections)
        let gateway = try await TestGateway.open(before: server)
        let fatal = try await EventLoop(name: "client").attempt { loop in
            let client = try await gateway.connect(on: loop)
            if reused {
                try await client.send(gateway.request("GET", "/open/good"))
                #expect(try await client.response().text == "hello")
            }
            try await client.send(gateway.request(method, "/open/fatal", body: body))
            let fatal = try await client.response()
            // Beside it everything goes on as before.
            try await client.send(gateway.request("GET", "/open/good"))
            #expect(try await client.response().text == "hello")
            return fatal
        }
        await gateway.stop()
        server.stop()
        return fatal
    }

    @Test(arguments: [Death.close, .reset])
    func `a GET on a reused connection that dies is sent once more on a fresh one`(
        death: Death
    ) async throws {
        let journal = Journal()
        let answer = try await answers(journal, death, fatalConnections: 1)
        #expect(answer.status == 200)
        #expect(answer.text == "hello")
        #expect(
            journal.events.prefix(5) == [
                "connection", "1 GET /open/good 0", "1 GET /open/fatal 0", "connection",
                "2 GET /open/fatal 0",
            ])
    }

    @Test(arguments: [Death.close, .reset])
    func `it is sent once more and no third time`(death: Death) async throws {
        let journal = Journal()
        let answer = try await answers(journal, death, fatalConnections: 2)
        #expect(answer.status == 502)
        #expect(journal.events.count { $0.hasSuffix("/open/fatal 0") } == 2)
    }

    @Test(arguments: [Death.close, .reset], [("POST", "12345"), ("POST", ""), ("PUT", "12345")])
    func `what could do something twice is not sent again`(
        death: Death, request: (method: String, body: String)
    ) async throws {
        let journal = Journal()
        let answer = try await answers(
            journal, death, fatalConnections: 1, request.method, body: request.body)
        #expect(answer.status == 502)
        #expect(
            journal.events.prefix(3) == [
                "connection", "1 GET /open/good 0",
                "1 \(request.method) /open/fatal \(request.body.utf8.count)",
            ])
        #expect(journal.events.count { $0.contains("/open/fatal") } == 1)
    }

    @Test(arguments: Death.allCases)
    func `a fresh connection that dies is a 502 at once`(death: Death) async throws {
        let journal = Journal()
        let answer = try await answers(journal, death, fatalConnections: 1, reused: false)
        #expect(answer.status == 502)
        #expect(journal.events.count { $0.hasSuffix("/open/fatal 0") } == 1)
    }

    @Test func `after the first byte of an answer nothing is sent again`() async throws {
        let journal = Journal()
        let answer = try await answers(journal, .halfHead, fatalConnections: 1)
        #expect(answer.status == 502)
        #expect(journal.events.count { $0.hasSuffix("/open/fatal 0") } == 1)
    }
}
