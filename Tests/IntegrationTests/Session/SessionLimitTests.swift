import GatehouseBase
import GatehouseNet
import GatehouseTesting
import Testing

/// Limits of a session as its live connections meet them.
struct SessionLimitTests {
    private func start(_ more: String) async throws -> TestGateway {
        try await TestGateway(settings: GatewaySettings(more: [more])) { _ in DemoApplication() }
    }

    /// Sends what `keepAlive` says until the session has ended, or `patience` is over.
    /// - Returns: how the WebSocket ended, or that it is alive.
    private static func fate(
        _ socket: WebSocketClient, _ keepAlive: WebSocketFrame, patience: Duration,
        on loop: isolated EventLoop
    ) async -> String {
        let deadline = Instant.now() + patience
        do {
            while Instant.now() < deadline {
                try? await socket.send(keepAlive)
                guard let answer = try await socket.receive() else { return "ended" }
                if let code = answer.closeCode { return "closed with \(code)" }
                await EventLoop.sleep(.milliseconds(100), on: loop.core)
            }
            return "alive"
        } catch {
            return "\(error)"
        }
    }

    @Test func `data frames of the client keep a session alive, pings and the server do not`()
        async throws
    {
        // The server's pushes, which nobody answers.
        let pushes = try RawServer { connection, loop in
            let socket = try await WebSocketServer(over: connection)
            while true {
                try await socket.send(WebSocketFrame(text: "push"))
                await EventLoop.sleep(.milliseconds(100), on: loop.core)
            }
        }
        var settings = GatewaySettings(
            routes: ["{path: /push, upstream: \"http://127.0.0.1:\(pushes.port)\"}"])
        let gateway = try await TestGateway(settings: settings) { _ in DemoApplication() }
        let (alice, bob) = (
            try await gateway.browser(of: "alice"), try await gateway.browser(of: "bob")
        )
        settings.more = ["session: {idle: 2s}"]
        let short = settings
        try await alice.loop.attempt { loop in
            let active = try await gateway.webSocket("/echo", alice, on: loop)
            let pinging = try await gateway.webSocket("/echo", bob, on: loop)
            let pushed = try await gateway.webSocket("/push", bob, on: loop)
            let data = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                return await SessionLimitTests.fate(
                    active, WebSocketFrame(text: "data"), patience: .seconds(4), on: loop)
            }
            let pings = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                return await SessionLimitTests.fate(
                    pinging, WebSocketFrame(.ping), patience: .seconds(8), on: loop)
            }
            let pongs = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                return await SessionLimitTests.fate(
                    pushed, WebSocketFrame(.pong), patience: .seconds(8), on: loop)
            }
            // Only now, so that nothing runs out while they sign in.
            try await gateway.reload(short)
            #expect(await pings.value == "closed with 1008")
            #expect(await pongs.value == "closed with 1008")
            #expect(await data.value == "alive")
            #expect(try await alice.visit(gateway.publicURL + "/").status == 200)
            #expect(try await bob.send("GET", gateway.publicURL + "/").status == 401)
        }
        await gateway.stop()
        pushes.stop()
    }

    @Test func `one WebSocket more than a session may have is a 503, and nobody else's`()
        async throws
    {
        let gateway = try await start("limits: {session_exchanges: 3}")
        let (alice, bob) = (
            try await gateway.browser(of: "alice"), try await gateway.browser(of: "bob")
        )
        try await alice.loop.attempt { loop in
            var sockets: [WebSocketClient] = []
            for _ in 0..<3 {
                sockets.append(try await gateway.webSocket("/echo", alice, on: loop))
            }
            await #expect(throws: WireError.refused(503)) {
                _ = try await gateway.webSocket("/echo", alice, on: loop)
            }
            let refused = try await alice.visit(gateway.publicURL + "/")
            #expect(refused.status == 503)
            #expect(refused["retry-after"] != nil)
            let other = try await gateway.webSocket("/echo", bob, on: loop)
            try await other.send("bob")
            #expect(try await other.receive()?.text == "bob")
            for socket in sockets {
                try await socket.send("alice")
                #expect(try await socket.receive()?.text == "alice")
            }
            // A place that is given back can be taken again.
            sockets[0].connection.close()
            var again: WebSocketClient?
            for _ in 0..<200 where again == nil {
                again = try? await gateway.webSocket("/echo", alice, on: loop)
                await EventLoop.sleep(.milliseconds(10), on: loop.core)
            }
            try await again?.send("again")
            #expect(try await again?.receive()?.text == "again")
        }
        await gateway.stop()
    }

    @Test func `one session too many ends the oldest with all that hangs on it, and no other`()
        async throws
    {
        let gateway = try await start("session: {per_user: 2}")
        let oldest = try await gateway.browser(of: "alice")
        let older = try await gateway.browser(of: "alice")
        let bob = try await gateway.browser(of: "bob")
        let url = gateway.publicURL + "/"
        try await oldest.loop.attempt { loop in
            let socket = try await gateway.webSocket("/echo", oldest, on: loop)
            let events = try await gateway.connect(on: loop)
            let cookies = [("Cookie", oldest.cookies(for: gateway.publicURL))]
            try await events.send(gateway.request("GET", "/events", fields: cookies))
            _ = try await events.read(until: "data: 1 ")
            let kept = try await gateway.webSocket("/echo", older, on: loop)
            let bobs = try await gateway.webSocket("/echo", bob, on: loop)
            let newest = try await gateway.browser(of: "alice")
            let began = Instant.now()
            #expect(try await socket.receive()?.closeCode == 1008)
            #expect(await Ending(of: events).isCut)
            #expect(Instant.now().since(began) < .seconds(1))
            #expect(try await oldest.send("GET", url).status == 401)
            for browser in [older, newest, bob] {
                #expect(try await browser.visit(url).status == 200)
            }
            for socket in [kept, bobs] {
                try await socket.send("alive")
                #expect(try await socket.receive()?.text == "alive")
            }
        }
        await gateway.stop()
    }
}
