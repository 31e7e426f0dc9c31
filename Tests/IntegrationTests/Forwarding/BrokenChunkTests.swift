import GatehouseBase
import GatehouseNet
import GatehouseTesting
import Testing

/// Nobody knows where a body with a malformed chunk ends: nothing behind it is a request.
struct BrokenChunkTests {
    private static let head =
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    private static let next = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

    // SECURITY-CASES B09.
    @Test(arguments: ["", "1\r\na\r\n", "0;\u{7}\r\n\r\n", "1\r\nab\r\n", "0\r\nX : y\r\n\r\n"])
    func `what follows a bad chunk at once is no request`(body: String) async throws {
        let upstream = FakeUpstream()
        let server = try LocalServer.start { _ in upstream }
        let proxy = try await ProxyFixture()
        try await proxy.add("/", to: server.port)
        // To a route, to none, and to the API.
        for (port, path) in [
            (proxy.port, "/x"), (proxy.port, "/_chp_healthz"), (proxy.apiPort, "/api/routes/x"),
        ] {
            let text =
                BrokenChunkTests.head.replacing("/x", with: path)
                + "Authorization: token \(ProxyFixture.token)\r\n\r\n" + body
                + BrokenChunkTests.next
            let all = try await proxy.client.loop.attempt { loop in
                let connection = try await RawConnection.connect(port: port, on: loop)
                try await connection.send(text)
                return try await connection.readToEnd()
            }
            let answer = String(decoding: all, as: UTF8.self)
            #expect(answer.split(separator: "HTTP/1.1 ").count == 1, "\(path)")
            #expect(answer.contains("Connection: close\r\n"), "\(path)")
        }
        #expect(upstream.count("/smuggled") == 0)
        let good = "POST /good HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        let port = proxy.port
        let two = try await proxy.client.loop.attempt { loop in
            let connection = try await RawConnection.connect(port: port, on: loop)
            try await connection.send(good + "1\r\na\r\n0\r\n\r\n" + BrokenChunkTests.next)
            return [
                try await connection.response().status, try await connection.response().status,
            ]
        }
        #expect(two == [200, 200])
        await proxy.stop()
    }
}
