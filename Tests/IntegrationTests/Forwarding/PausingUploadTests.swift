import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// A client that pauses in its body is not a server that does not answer.
struct PausingUploadTests {
    /// The status that a client gets which sends its body in `parts`, each after a pause that is
    /// longer than the time that the server has for its answer.
    private static func status(_ head: String, _ parts: [String], answers: Bool = true)
        async throws -> String
    {
        let server = try RawServer { connection, _ in
            _ = try await connection.read(until: "\r\n\r\n")
            _ = try await connection.read(count: 20)
            if answers { try await connection.send("HTTP/1.1 204 No Content\r\n\r\n") }
            _ = await connection.waitForEnd()
        }
        let target = UpstreamTarget(
            host: "127.0.0.1", port: server.port, tls: nil, connectTimeout: .seconds(5),
            firstByteTimeout: .milliseconds(400))
        let proxy = try ForwardingServer.start(target)
        let port = proxy.port
        let status = try await EventLoop(name: "client").attempt { loop in
            let client = try await RawConnection.connect(port: port, on: loop)
            try await client.send("POST / HTTP/1.1\r\nHost: x\r\n\(head)Content-Length: 20\r\n\r\n")
            for part in parts {
                await EventLoop.sleep(.milliseconds(1000), on: loop.core)
                try await client.send(part)
            }
            var answer = ""
            repeat {
                answer = String(
                    decoding: try await client.read(until: "\r\n\r\n"), as: UTF8.self)
            } while answer.hasPrefix("HTTP/1.1 100 ")
            client.close()
            return String(answer.dropFirst(9).prefix(3))
        }
        await proxy.stop()
        server.stop()
        return status
    }

    @Test(arguments: [
        ("", ["01234567890123456789"]), ("", ["0123456789", "0123456789"]),
        ("Expect: 100-continue\r\n", ["0123456789", "0123456789"]),
    ])
    func `the time for an answer begins with the end of the request`(head: String, parts: [String])
        async throws
    {
        #expect(try await PausingUploadTests.status(head, parts) == "204")
    }

    @Test func `a server that then says nothing is given up`() async throws {
        #expect(
            try await PausingUploadTests.status("", ["01234567890123456789"], answers: false)
                == "504")
    }
}
