import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// What a target's own limits do to a request.
struct TargetLimitTests {
    @Test func `an answer that pauses for too long is cut and one that drips is not`() async throws
    {
        let server = try RawServer { connection, loop in
            let request = try await connection.request()
            let isSilent = ReceivedRequest(request.head).path == "/silent"
            let pause = Duration.milliseconds(isSilent ? 30_000 : 50)
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
            for _ in 0..<6 {
                try await connection.send("x")
                await EventLoop.sleep(pause, on: loop.core)
            }
        }
        let proxy = try ForwardingServer.start(
            UpstreamTarget(
                host: "127.0.0.1", port: server.port, tls: nil, connectTimeout: .seconds(5),
                responseIdle: .milliseconds(250)))
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            for (path, whole) in [("/silent", false), ("/drip", true)] {
                let client = try await RawConnection.connect(port: port, on: loop)
                try await client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
                if whole {
                    #expect(try await client.response().text == "xxxxxx")
                } else {
                    let ending = await Ending(of: client)
                    #expect(ending.isCut)
                    #expect(ending.text.hasSuffix("\r\n\r\nx"))
                }
                client.close()
            }
        }
        await proxy.stop()
        server.stop()
    }

    @Test func `an upload that flows is no silence, and one that has ended is answered in time`()
        async throws
    {
        let server = try RawServer { connection, loop in
            let request = try await connection.request()
            if ReceivedRequest(request.head).path == "/silent" {
                await EventLoop.sleep(.seconds(30), on: loop.core)
            }
            try await connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: \("\(request.body.count)".count)\r\n\r\n"
                    + "\(request.body.count)")
        }
        let proxy = try ForwardingServer.start(
            UpstreamTarget(
                host: "127.0.0.1", port: server.port, tls: nil, connectTimeout: .seconds(5),
                firstByteTimeout: .milliseconds(600)))
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            for path in ["/", "/silent"] {
                let client = try await RawConnection.connect(port: port, on: loop)
                try await client.send(
                    "PUT \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: 120\r\n\r\n")
                for _ in 0..<12 {
                    await EventLoop.sleep(.milliseconds(100), on: loop.core)
                    try await client.send("0123456789")
                }
                let answer = try await client.response()
                #expect(answer.text == (path == "/" ? "120" : "upstream_timeout"))
                client.close()
            }
        }
        await proxy.stop()
        server.stop()
    }

    @Test func `more requests than a target has connections wait and are then told to come again`()
        async throws
    {
        let upstream = FakeUpstream()
        let isFree = Delivery<Void>()
        upstream.on("/held") { exchange in
            await isFree.value()
            await exchange.send(Response(200, contentType: "text/plain", "held"))
        }
        let server = try LocalServer.start { _ in upstream }
        let proxy = try ForwardingServer.start(
            UpstreamTarget(
                host: "127.0.0.1", port: server.port, tls: nil,
                connectTimeout: .milliseconds(200), maximumConnections: 1))
        let port = proxy.port
        try await EventLoop(name: "client").attempt { loop in
            let first = try await RawConnection.connect(port: port, on: loop)
            try await first.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
            for _ in 0..<1000 where upstream.count("/held") == 0 {
                await EventLoop.sleep(.milliseconds(5), on: loop.core)
            }
            let second = try await RawConnection.connect(port: port, on: loop)
            try await second.send("GET /second HTTP/1.1\r\nHost: x\r\n\r\n")
            let refused = try await second.response()
            #expect(refused.status == 503)
            #expect(refused.text == "upstream_busy")
            #expect(upstream.count("/second") == 0)
            try await second.send("GET /third HTTP/1.1\r\nHost: x\r\n\r\n")
            isFree.deliver(())
            #expect(try await first.response().text == "held")
            #expect(try await second.response().text == "hello from /third")
            first.close()
            second.close()
        }
        await proxy.stop()
        await server.stop()
    }
}
