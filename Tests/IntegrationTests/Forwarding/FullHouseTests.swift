import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// A loop that has as many connections as it may have.
struct FullHouseTests {
    private let ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test func `who has been idle for longest makes room for who comes, and an operator is told`()
        async throws
    {
        let journal = Journal()
        let upstream = FakeUpstream()
        let server = try LocalServer.start(
            maximumConnections: 4, onFull: { journal.note("full: \($0)") }
        ) { _ in upstream }
        let port = server.port
        try await EventLoop(name: "client").attempt { loop in
            var clients: [RawConnection] = []
            for _ in 0..<3 {
                let client = try await RawConnection.connect(port: port, on: loop)
                try await client.send(ask)
                #expect(try await client.response().status == 200)
                clients.append(client)
                await EventLoop.sleep(.milliseconds(40), on: loop.core)
            }
            // The first one is not the one that has been idle for longest.
            try await clients[0].send(ask)
            #expect(try await clients[0].response().status == 200)
            let late = try await RawConnection.connect(port: port, on: loop)
            late.patience = .seconds(3)
            try await late.send(ask)
            #expect(try await late.response().status == 200)
            #expect(journal.events == ["full: 4"])
            _ = await clients[1].waitForEnd()
            for client in [clients[0], clients[2]] {
                try await client.send(ask)
                #expect(try await client.response().status == 200)
            }
            for client in clients { client.close() }
            late.close()
        }
        await server.stop()
    }

    @Test func `nobody is cut whose request is under way, and who waits gets his turn`()
        async throws
    {
        let isFree = Delivery<Void>()
        let upstream = FakeUpstream()
        upstream.on("/held") { exchange in
            await isFree.value()
            await exchange.send(Response(200, contentType: "text/plain", "held"))
        }
        let server = try LocalServer.start(maximumConnections: 1) { _ in upstream }
        let port = server.port
        try await EventLoop(name: "client").attempt { loop in
            let first = try await RawConnection.connect(port: port, on: loop)
            try await first.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
            for _ in 0..<1000 where upstream.count("/held") == 0 {
                await EventLoop.sleep(.milliseconds(5), on: loop.core)
            }
            let second = try await RawConnection.connect(port: port, on: loop)
            second.patience = .seconds(3)
            try await second.send(ask)
            await EventLoop.sleep(.milliseconds(400), on: loop.core)
            #expect(upstream.count("/") == 0)
            isFree.deliver(())
            #expect(try await first.response().text == "held")
            // It is idle now, and that is noticed without a word of it.
            #expect(try await second.response().status == 200)
            first.close()
            second.close()
        }
        await server.stop()
    }
}
