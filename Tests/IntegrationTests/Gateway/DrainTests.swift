import GatehouseBase
import GatehouseNet
import GatehouseTesting
import Testing

/// How the gateway stops: nothing new, what is under way to its end, WebSockets with 1001.
struct DrainTests {
    /// A server with a WebSocket at `/open/ws`, and else an answer whose end waits for `go`.
    private func server(_ journal: Journal, _ go: Journal) throws -> RawServer {
        try RawServer { connection, loop in
            let request = ReceivedRequest(try await connection.request().head)
            if let key = request["sec-websocket-key"] {
                try await connection.send(WebSocketServer.acceptance(of: key) + "\r\n")
                let rest = await Ending(of: connection)
                // A masked Close with 1001 and its reason, and nothing else.
                journal.note(rest.bytes.first == 0x88 ? "closed" : "not closed")
                return
            }
            try await connection.send(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            try await go.wait(for: "go", on: loop.core)
            try await connection.send("6\r\n world\r\n0\r\n\r\n")
        }
    }

    @Test func `a stop refuses, lets exchanges end and says 1001 to WebSockets then`()
        async throws
    {
        let (journal, go) = (Journal(), Journal())
        let server = try server(journal, go)
        let gateway = try await TestGateway.open(before: server)
        try await EventLoop(name: "client").attempt { loop in
            let idle = try await gateway.connect(on: loop)
            let fresh = try await gateway.connect(on: loop)
            try await idle.send(gateway.request("GET", "/.gatehouse/healthz"))
            #expect(try await idle.response().status == 200)
            let busy = try await gateway.connect(on: loop)
            try await busy.send(gateway.request("GET", "/open/x"))
            _ = try await busy.read(until: "\r\n\r\n5\r\nhello\r\n")
            let socket = try await WebSocketClient(
                over: try await gateway.connect(on: loop), target: "/open/ws",
                authority: gateway.authority)
            let began = Instant.now()
            let drain = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                await gateway.drain()
            }
            #expect(await Ending(of: idle).failure != .timedOut)
            #expect(await Ending(of: fresh).failure != .timedOut)
            #expect(Instant.now().since(began) < .seconds(1))
            await #expect(throws: StreamError.refused) {
                try await gateway.connect(on: loop).close()
            }
            #expect(journal.events.isEmpty)
            go.note("go")
            let rest = await Ending(of: busy)
            #expect(!rest.isCut)
            #expect(rest.text.hasSuffix("0\r\n\r\n"))
            #expect(rest.text.contains(" world"))
            let finished = Instant.now()
            #expect(try await socket.receive()?.closeCode == 1001)
            try await journal.wait(for: "closed", on: loop.core)
            #expect(Instant.now().since(finished) < .seconds(1))
            socket.connection.close()
            await drain.value
        }
        await gateway.stop()
        server.stop()
    }

    @Test func `what has not ended at the limit of a stop is cut`() async throws {
        let (journal, go) = (Journal(), Journal())
        let server = try server(journal, go)
        let gateway = try await TestGateway.open(
            before: server, settings: GatewaySettings(more: ["limits: {drain: 200ms}"]))
        try await EventLoop(name: "client").attempt { loop in
            let busy = try await gateway.connect(on: loop)
            try await busy.send(gateway.request("GET", "/open/x"))
            _ = try await busy.read(until: "hello\r\n")
            let drain = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                await gateway.drain()
            }
            let rest = await Ending(of: busy)
            #expect(rest.isCut)
            #expect(rest.bytes.isEmpty)
            await drain.value
            go.note("go")
        }
        await gateway.stop()
        server.stop()
    }
}
