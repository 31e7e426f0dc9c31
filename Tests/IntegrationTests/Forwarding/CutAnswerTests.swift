import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import GatehouseNet
import GatehouseTesting
import Testing

/// An upstream that dies within its answer: the client must see that something is missing.
struct CutAnswerTests {
    /// Answers that end too early; what is behind `|` comes a moment later.
    static let cut = [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n12345",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n|xyz\r\n",
    ]

    /// A server that answers `/open/cut/N` with the Nth of these, resets after `/open/reset/N`, and
    /// answers everything else whole.
    private func server() throws -> RawServer {
        try RawServer { connection, loop in
            let request = ReceivedRequest(try await connection.request().head)
            let parts = request.path.split(separator: "/")
            guard let number = Int(parts[parts.count - 1]) else {
                return try await connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole")
            }
            for piece in CutAnswerTests.cut[number].split(separator: "|") {
                try await connection.send(String(piece))
                await EventLoop.sleep(.milliseconds(30), on: loop.core)
            }
            // A reset throws away what was not read yet: the answer has begun by now.
            if parts[1] == "reset" { connection.reset() }
        }
    }

    /// What a client gets of a request for `path`.
    private func ending(
        _ port: UInt16, _ tls: ClientTLS?, _ path: String, version: String,
        on loop: isolated EventLoop
    ) async throws -> Ending {
        let client = try await RawConnection.connect(port: port, tls: tls, on: loop)
        let host = "Host: localhost:\(port)\r\nConnection: close\r\n"
        try await client.send("GET \(path) \(version)\r\n\(host)\r\n")
        return await Ending(of: client)
    }

    /// Asks for every cut answer, and for a whole one after each.
    private func expectCuts(_ port: UInt16, _ tls: ClientTLS?) async throws {
        try await EventLoop(name: "client").attempt { loop in
            for (way, version) in [("cut", "HTTP/1.1"), ("cut", "HTTP/1.0"), ("reset", "HTTP/1.1")]
            {
                for (number, answer) in CutAnswerTests.cut.enumerated() {
                    let cut = try await ending(
                        port, tls, "/open/\(way)/\(number)", version: version, on: loop)
                    #expect(cut.isCut, "\(way) \(version) \(answer)")
                    #expect(!cut.text.contains("\r\n0\r\n\r\n"), "\(way) \(version) \(answer)")
                    #expect(tls != nil || cut.failure == .reset, "\(way) \(version) \(answer)")
                }
                let whole = try await ending(port, tls, "/open/whole", version: version, on: loop)
                #expect(!whole.isCut)
                #expect(whole.text.hasSuffix("\r\n\r\nwhole"))
            }
        }
    }

    @Test func `over TLS a cut answer is cut for the client too`() async throws {
        let server = try server()
        let gateway = try await TestGateway.open(before: server)
        try await expectCuts(gateway.port, try gateway.certificate.client())
        await gateway.stop()
        server.stop()
    }

    @Test func `without TLS a cut answer ends with a reset`() async throws {
        let server = try server()
        let decoded = ConfigurationDecoder.decode(
            text: """
                state_dir: none
                loops: 1
                listeners: [{address: "127.0.0.1:0"}]
                routes: [{path: /, upstream: "http://127.0.0.1:\(server.port)"}]
                access: [{path: /**, allow: public}]
                """, name: "test", environment: [:], readFile: { _ in [] })
        let gateway = try Gateway(
            try #require(decoded.configuration), log: .none, accessSink: { _ in })
        let url = try await gateway.start()[0]
        try await expectCuts(try #require(TestURL(url)?.port), nil)
        await gateway.stop()
        server.stop()
    }

    @Test func `while nothing of it has gone out the client is told in another answer`()
        async throws
    {
        let server = try RawServer { connection, _ in
            _ = try await connection.request()
            try await connection.send(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\nxyz\r\n")
            _ = await connection.waitForEnd()
        }
        let gateway = try await TestGateway.open(before: server)
        let answer = try await gateway.browser().send("GET", gateway.publicURL + "/open/x")
        #expect(answer.status == 502)
        #expect(!answer.text.contains("12345"))
        await gateway.stop()
        server.stop()
    }

    /// Where only the end of the connection ends a body, TLS tells an end from a cut.
    @Test func `an upstream's TLS that ends without close_notify is a cut answer`() async throws {
        let certificate = TestCertificate()
        let server = try RawServer(tls: try certificate.server()) { connection, _ in
            let request = ReceivedRequest(try await connection.request().head)
            try await connection.send("HTTP/1.1 200 OK\r\n\r\nwhole")
            connection.stream.close(cleanly: request.path != "/tls/cut")
        }
        let upstream =
            "{url: \"https://localhost:\(server.port)\", tls: {ca_file: \(certificate.file)}}"
        let settings = GatewaySettings(
            routes: ["{path: /tls, upstream: secure}"],
            access: ["{path: /tls/**, allow: public}"],
            more: ["upstreams: {secure: \(upstream)}"])
        let gateway = try await TestGateway(settings: settings) { _ in FakeUpstream() }
        let tls = try gateway.certificate.client()
        try await EventLoop(name: "client").attempt { loop in
            for version in ["HTTP/1.1", "HTTP/1.0"] {
                let cut = try await ending(
                    gateway.port, tls, "/tls/cut", version: version, on: loop)
                #expect(cut.isCut)
                #expect(!cut.text.contains("\r\n0\r\n\r\n"))
                let whole = try await ending(
                    gateway.port, tls, "/tls/whole", version: version, on: loop)
                #expect(!whole.isCut)
                let end = version == "HTTP/1.1" ? "\r\n5\r\nwhole\r\n0\r\n\r\n" : "\r\n\r\nwhole"
                #expect(whole.text.hasSuffix(end))
            }
        }
        await gateway.stop()
        server.stop()
    }
}
