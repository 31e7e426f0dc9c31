import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// Everything that hangs on a session ends with it: within a second, on both sides.
struct SessionEndTests {
    /// An upstream with one long-lived exchange of each kind; notes what comes and what ends.
    private func upstream(_ journal: Journal) -> FakeUpstream {
        let upstream = FakeUpstream()
        upstream.on("/upload") { exchange in
            defer { journal.note("upload ended") }
            while let piece = try await exchange.readBody() {
                journal.note("upload \(String(decoding: piece, as: UTF8.self))")
            }
            await exchange.send(Response(200))
        }
        for (path, size) in [("/download", 8 * 1024), ("/events", 20)] {
            upstream.on(path) { exchange in
                defer { journal.note("\(path) ended") }
                var head = ResponseHead(200)
                head.fields.append(.contentType, "text/event-stream")
                try await exchange.begin(head)
                while true {
                    try await exchange.write([UInt8](repeating: 0x2E, count: size))
                    await EventLoop.sleep(.milliseconds(5), on: exchange.core)
                }
            }
        }
        return upstream
    }

    /// A server that does not answer: only the end of the connection ends its request.
    private func silence(_ journal: Journal) throws -> RawServer {
        try RawServer { connection, _ in
            _ = try await connection.request()
            journal.note("poll began")
            _ = await connection.waitForEnd()
            journal.note("poll ended")
        }
    }

    /// Starts one request and reads until its answer has begun, or the upstream has it.
    private func start(
        _ gateway: TestGateway, _ browser: TestClient, _ path: String,
        on loop: isolated EventLoop
    ) async throws -> RawConnection {
        let connection = try await gateway.connect(on: loop)
        let cookies = [("Cookie", browser.cookies(for: gateway.publicURL))]
        guard path == "/upload" else {
            try await connection.send(gateway.request("GET", path, fields: cookies))
            if path != "/poll" { _ = try await connection.read(until: "...") }
            return connection
        }
        let fields = cookies + [("Transfer-Encoding", "chunked")]
        try await connection.send(gateway.request("POST", path, fields: fields) + "3\r\none\r\n")
        return connection
    }

    private let paths = ["/upload", "/poll", "/download", "/events"]

    @Test func `an upload, a poll, a download and a stream end within a second of a sign-out`()
        async throws
    {
        let journal = Journal()
        let (upstream, silence) = (upstream(journal), try silence(journal))
        let settings = GatewaySettings(
            routes: ["{path: /poll, upstream: \"http://127.0.0.1:\(silence.port)\"}"])
        let gateway = try await TestGateway(settings: settings) { _ in upstream }
        let alice = try await gateway.browser(of: "alice")
        let bob = try await gateway.browser(of: "bob")
        let paths = paths
        try await alice.loop.attempt { loop in
            var connections: [RawConnection] = []
            for path in paths {
                connections.append(try await start(gateway, alice, path, on: loop))
            }
            let bobs = try await start(gateway, bob, "/events", on: loop)
            try await journal.wait(for: "upload one", on: loop.core)
            try await journal.wait(for: "poll began", on: loop.core)
            let before = upstream.count()
            let began = Instant.now()
            #expect(try await gateway.signOut(alice) == 302)
            // What an upload still sends arrives nowhere.
            try? await connections[0].send("3\r\ntwo\r\n0\r\n\r\n")
            for (path, connection) in zip(paths, connections) {
                let ending = await Ending(of: connection)
                #expect(Instant.now().since(began) < .seconds(1), "\(path)")
                #expect(ending.isCut, "\(path)")
                #expect(!ending.text.contains("0\r\n\r\n"), "\(path)")
            }
            for event in ["upload ended", "poll ended", "/download ended", "/events ended"] {
                let ended = try await journal.wait(for: event, on: loop.core)
                #expect(ended.since(began) < .seconds(1), "\(event)")
            }
            #expect(journal.count("upload two") == 0)
            #expect(upstream.count() == before)
            #expect(try await bob.visit(gateway.publicURL + "/x").status == 200)
            #expect(journal.count("/events ended") == 1)
            bobs.close()
        }
        await gateway.stop()
        silence.stop()
    }

    @Test func `a copied cookie is worth nothing after the sign-out, also on an open connection`()
        async throws
    {
        let upstream = FakeUpstream()
        let gateway = try await TestGateway { _ in upstream }
        let alice = try await gateway.browser(of: "alice")
        let copied = [("Cookie", alice.cookies(for: gateway.publicURL))]
        let request = gateway.request("GET", "/x", fields: copied)
        try await alice.loop.attempt { loop in
            // This connection remembers the session that it has verified.
            let open = try await gateway.connect(on: loop)
            try await open.send(request)
            #expect(try await open.response().text == "hello from /x")
            let began = Instant.now()
            #expect(try await gateway.signOut(alice) == 302)
            upstream.forget()
            try await open.send(request)
            #expect(try await open.response().status == 401)
            #expect(Instant.now().since(began) < .seconds(1))
            let fresh = try await gateway.connect(on: loop)
            try await fresh.send(request)
            #expect(try await fresh.response().status == 401)
            let socket = try? await WebSocketClient(
                over: try await gateway.connect(on: loop), target: "/ws",
                authority: gateway.authority, fields: copied)
            #expect(socket == nil)
        }
        #expect(upstream.count() == 0)
        await gateway.stop()
    }
}
