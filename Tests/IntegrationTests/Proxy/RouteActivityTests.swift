import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// What counts as use of a route. What configurable-http-proxy counts is observed beside it by the
/// conformance tests; here is what the setting `activity` adds.
struct RouteActivityTests {
    /// The time of a route's last use, as the API tells it.
    private func lastUse(_ proxy: ProxyFixture, _ path: String) async throws -> String {
        try #require(try await proxy.table()[path]?["last_activity"]?.string)
    }

    private func pause() async {
        await EventLoop(name: "pause").run { await EventLoop.sleep(.milliseconds(30), on: $0.core) }
    }

    @Test(arguments: [("contract", false), ("traffic", true)])
    func `a download that runs is use where traffic counts`(
        mode: String, counts: Bool
    ) async throws {
        let more = Delivery<Void>()
        let end = Delivery<Void>()
        let upstream = FakeUpstream()
        upstream.on("/d/endless") { exchange in
            try await exchange.begin(ResponseHead(200))
            try await exchange.write(Array("first\n".utf8))
            await more.value()
            try await exchange.write(Array("second\n".utf8))
            await end.value()
            try await exchange.finish()
        }
        let server = try LocalServer.start { _ in upstream }
        let proxy = try await ProxyFixture(["--activity", mode])
        try await proxy.add("/d", to: server.port)
        let port = proxy.port
        let loop = EventLoop(name: "reader")
        let isReading = Delivery<Void>()
        let hasMore = Delivery<Void>()
        let isOver = Delivery<Void>()
        loop.start { loop in
            try? await loop.attempt { loop in
                let connection = try await RawConnection.connect(port: port, on: loop)
                try await connection.send("GET /d/endless HTTP/1.1\r\nHost: h\r\n\r\n")
                _ = try await connection.read(until: "first\n")
                isReading.deliver(())
                _ = try await connection.read(until: "second\n")
                hasMore.deliver(())
                _ = try await connection.read(until: "0\r\n\r\n")
                isOver.deliver(())
            }
        }
        await isReading.value()
        let before = try await lastUse(proxy, "/d")
        await pause()
        #expect(try await lastUse(proxy, "/d") == before, "nothing moves")
        more.deliver(())
        await hasMore.value()
        let after = try await lastUse(proxy, "/d")
        #expect((after > before) == counts)
        await pause()
        end.deliver(())
        await isOver.value()
        await pause()
        #expect(try await lastUse(proxy, "/d") > after, "its end is use in any case")
        await proxy.stop()
        await server.stop()
    }

    @Test(arguments: [("contract", false), ("traffic", true)])
    func `what a server says in a WebSocket is use where traffic counts`(
        mode: String, counts: Bool
    ) async throws {
        let speak = Delivery<Void>()
        let server = try RawServer { connection, _ in
            let socket = try await WebSocketServer(over: connection)
            await speak.value()
            try await socket.send(WebSocketFrame(text: "news"))
            while try await socket.receive() != nil {}
        }
        let proxy = try await ProxyFixture(["--activity", mode])
        try await proxy.add("/ws", to: server.port)
        let port = proxy.port
        let isOpen = Delivery<Void>()
        let heard = Delivery<Void>()
        let answer = Delivery<Void>()
        let answered = Delivery<Void>()
        EventLoop(name: "socket").start { loop in
            try? await loop.attempt { loop in
                let socket = try await WebSocketClient(
                    over: try await RawConnection.connect(port: port, on: loop), target: "/ws",
                    authority: "127.0.0.1:\(port)")
                isOpen.deliver(())
                _ = try await socket.receive()
                heard.deliver(())
                await answer.value()
                try await socket.send("a word")
                answered.deliver(())
                _ = try? await socket.receive()
            }
        }
        await isOpen.value()
        let before = try await lastUse(proxy, "/ws")
        await pause()
        speak.deliver(())
        await heard.value()
        let after = try await lastUse(proxy, "/ws")
        #expect((after > before) == counts)
        await pause()
        answer.deliver(())
        await answered.value()
        await pause()
        #expect(try await lastUse(proxy, "/ws") > after, "the client's words always are")
        await proxy.stop()
        server.stop()
    }
}
