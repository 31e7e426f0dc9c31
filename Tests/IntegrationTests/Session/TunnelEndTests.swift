import GatehouseBase
import GatehouseNet
import GatehouseTesting
import Testing

/// The end of a WebSocket whose session ends: a Close to both sides, and after it not one byte.
struct TunnelEndTests {
    /// What both sides do when it comes to the end.
    enum Traffic: String, Sendable, CaseIterable {
        /// Nothing was under way.
        case quiet
        /// The client has ended its side; the server goes on.
        case clientHalfClosed
        /// The server has ended its side; the client goes on.
        case serverHalfClosed
        /// Frames fly both ways.
        case busy
        /// The server is in the middle of a frame.
        case serverMidFrame
        /// The client is in the middle of a frame.
        case clientMidFrame
    }

    /// What the server got until its end.
    private func server(_ journal: Journal, _ traffic: Traffic) throws -> RawServer {
        try RawServer { connection, loop in
            let socket = try await WebSocketServer(over: connection)
            try await socket.send(WebSocketFrame(text: "hello"))
            var chatter: Task<Void, Never>?
            switch traffic {
            case .serverHalfClosed: connection.finish()
            case .serverMidFrame: try await connection.send([0x82, 0x7D] + [1, 2, 3])
            case .busy, .clientHalfClosed:
                // One task waits for bytes, the other for room.
                chatter = Task.immediate(executorPreference: loop.thread) {
                    _ = loop
                    await TunnelEndTests.chatter(loop) { try await socket.send($0) }
                }
            case .quiet, .clientMidFrame: break
            }
            journal.note("ready")
            await TunnelEndTests.record(journal, "server") { try await socket.receive() }
            await chatter?.value
        }
    }

    /// Sends frames until that fails, also after a Close has come.
    private static func chatter(
        _ loop: isolated EventLoop, _ send: (WebSocketFrame) async throws -> Void
    ) async {
        for number in 0..<200 {
            do { try await send(WebSocketFrame(text: "frame \(number)")) } catch { return }
            await EventLoop.sleep(.milliseconds(5), on: loop.core)
        }
    }

    /// Notes frames until the end, and whether there was a Close and something after it.
    private static func record(
        _ journal: Journal, _ side: String, _ receive: () async throws -> WebSocketFrame?
    ) async {
        var sawClose = false
        do {
            while let frame = try await receive() {
                if sawClose { journal.note("\(side) after the close: \(frame.opcode)") }
                if let code = frame.closeCode {
                    sawClose = true
                    journal.note("\(side) close \(code)")
                }
            }
            journal.note("\(side) ended")
        } catch StreamError.timedOut {
            journal.note("\(side) left open")
        } catch is WireError {
            journal.note("\(side) got no frame")
        } catch {
            journal.note("\(side) cut")
            journal.note("\(side) ended")
        }
    }

    /// Lets a session end amid `traffic`, and tells what both sides saw.
    private func end(amid traffic: Traffic) async throws -> Journal {
        let journal = Journal()
        let server = try server(journal, traffic)
        let settings = GatewaySettings(
            routes: ["{path: /ws, upstream: \"http://127.0.0.1:\(server.port)\"}"])
        let gateway = try await TestGateway(settings: settings) { _ in FakeUpstream() }
        let alice = try await gateway.browser(of: "alice")
        try await alice.loop.attempt { loop in
            let socket = try await gateway.webSocket("/ws", alice, on: loop)
            #expect(try await socket.receive()?.text == "hello")
            try await journal.wait(for: "ready", on: loop.core)
            switch traffic {
            case .clientHalfClosed: socket.connection.finish()
            case .clientMidFrame: try await socket.connection.send([0x82, 0xFD, 1, 2, 3, 4, 5])
            case .busy, .serverHalfClosed:
                _ = Task.immediate(executorPreference: loop.thread) {
                    _ = loop
                    await TunnelEndTests.chatter(loop) { try await socket.send($0) }
                }
            case .quiet, .serverMidFrame: break
            }
            let recorder = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                await TunnelEndTests.record(journal, "client") { try await socket.receive() }
            }
            await EventLoop.sleep(.milliseconds(50), on: loop.core)
            let began = Instant.now()
            #expect(try await gateway.signOut(alice) == 302)
            for event in ["client ended", "server ended"] {
                #expect(
                    try await journal.wait(for: event, on: loop.core).since(began) < .seconds(1))
            }
            await recorder.value
        }
        await gateway.stop()
        server.stop()
        return journal
    }

    private func expectNothingAfterTheClose(_ journal: Journal) {
        #expect(!journal.events.contains { $0.contains("after the close") }, "\(journal.events)")
        #expect(!journal.events.contains { $0.contains("no frame") }, "\(journal.events)")
    }

    @Test(arguments: [Traffic.quiet, .busy])
    func `a session's WebSocket ends with 1008 and 1001, and nothing passes after it`(
        traffic: Traffic
    ) async throws {
        let journal = try await end(amid: traffic)
        expectNothingAfterTheClose(journal)
        #expect(journal.count("client close 1008") == 1)
        #expect(journal.count("server close 1001") == 1)
    }

    @Test(arguments: [Traffic.clientHalfClosed, .serverHalfClosed])
    func `a half-closed WebSocket ends too, and who still listens is told`(
        traffic: Traffic
    ) async throws {
        let journal = try await end(amid: traffic)
        expectNothingAfterTheClose(journal)
        let other = traffic == .clientHalfClosed ? "client close 1008" : "server close 1001"
        #expect(journal.count(other) == 1)
    }

    @Test func `within a frame of the server's the client is reset, and told nothing`()
        async throws
    {
        let journal = try await end(amid: .serverMidFrame)
        #expect(journal.count("client cut") == 1)
        #expect(journal.count("client close 1008") == 0)
        #expect(journal.count("server close 1001") == 1)
    }

    @Test func `within a frame of the client's the server is reset, and told nothing`()
        async throws
    {
        let journal = try await end(amid: .clientMidFrame)
        #expect(journal.count("server cut") == 1)
        #expect(journal.count("server close 1001") == 0)
        #expect(journal.count("client close 1008") == 1)
    }

    @Test(arguments: ["signed_in", "public"])
    func `a WebSocket whose rule denies after a reload ends with 1008, another goes on`(
        allow: String
    ) async throws {
        let journal = Journal()
        let server = try server(journal, .quiet)
        let routes = ["{path: /ws, upstream: \"http://127.0.0.1:\(server.port)\"}"]
        let before = GatewaySettings(
            routes: routes, access: ["{path: /ws/**, allow: \(allow)}"])
        let after = GatewaySettings(routes: routes, access: ["{path: /ws/**, allow: deny}"])
        let gateway = try await TestGateway(settings: before) { _ in DemoApplication() }
        let alice = try await gateway.browser(of: "alice")
        try await alice.loop.attempt { loop in
            let denied = try await gateway.webSocket("/ws", alice, on: loop)
            let allowed = try await gateway.webSocket("/echo", alice, on: loop)
            #expect(try await denied.receive()?.text == "hello")
            try await gateway.reload(after)
            let began = Instant.now()
            #expect(try await denied.receive()?.closeCode == 1008)
            let ending = await Ending(of: denied.connection)
            #expect(ending.bytes.isEmpty)
            #expect(Instant.now().since(began) < .seconds(1))
            let ended = try await journal.wait(for: "server ended", on: loop.core)
            #expect(ended.since(began) < .seconds(1))
            #expect(journal.count("server close 1001") == 1)
            try await allowed.send("still here")
            #expect(try await allowed.receive()?.text == "still here")
            await #expect(throws: WireError.refused(403)) {
                _ = try await gateway.webSocket("/ws", alice, on: loop)
            }
        }
        await gateway.stop()
        server.stop()
    }
}
