import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import GatehouseTesting
import Testing

/// `/api/routes` over real sockets.
struct RoutesAPITests {
    @Test func `a route is in force when its 201 comes, and gone when its 204 comes`()
        async throws
    {
        let upstream = FakeUpstream()
        let server = try LocalServer.start { _ in upstream }
        let proxy = try await ProxyFixture()
        try await proxy.add("/", to: server.port)
        for round in 0..<40 {
            // A connection each: both loops are asked.
            try await proxy.add("/other/\(round)", to: server.port)
            let answer = try await proxy.get("/other/\(round)/x")
            #expect(answer.text == "hello from /other/\(round)/x")
        }
        #expect(try await proxy.api("DELETE", "/").status == 204)
        #expect(try await proxy.api("DELETE", "/").status == 404)
        for _ in 0..<4 { #expect(try await proxy.get("/").status == 404) }
        #expect(try await proxy.get("/other/7").status == 200, "deeper routes stay")
        await proxy.stop()
        await server.stop()
    }

    @Test(arguments: [
        (nil, 403), ("token wrong", 403), ("proxy-token", 403), ("Token proxy-token", 403),
        ("xtoken proxy-token", 403), ("token proxy-token x", 403), ("token ", 403), ("", 403),
        ("token proxy-token", 200), ("token    proxy-token", 200), ("Bearer proxy-token", 200),
        ("bearer proxy-token", 200),
    ])
    func `only who has the token gets in`(field: String?, status: Int) async throws {
        let proxy = try await ProxyFixture()
        try await proxy.add("/a", to: 1)
        #expect(try await proxy.api("GET", "", token: field).status == status)
        #expect(
            try await proxy.api("POST", "/b", #"{"target":"http://h"}"#, token: field).status
                == (status == 200 ? 201 : 403))
        #expect(
            try await proxy.api("DELETE", "/a", token: field).status
                == (status == 200 ? 204 : 403))
        let table = try await proxy.table()
        #expect(Set(table.keys) == (status == 200 ? ["/b"] : ["/a"]))
        await proxy.stop()
    }

    @Test func `what a route was given comes back, with the time of its use`() async throws {
        let proxy = try await ProxyFixture()
        let body = #"""
            {"user": "ü x@y", "target": "http://h:1/é", "last_activity": "1999", "n": 1.5,
             "deep": {"list": [1, null, true, "\""]}}
            """#
        let path = "/user/%C3%BC%20x@y"
        #expect(try await proxy.api("POST", path, body).status == 201)
        let table = try await proxy.table()
        let route = try #require(table["/user/ü x@y"])
        #expect(route["user"] == "ü x@y" && route["target"] == "http://h:1/é")
        #expect(route["n"] == 1.5)
        #expect(route["deep"] == ["list": [1, .null, true, "\""]])
        let time = try #require(route["last_activity"]?.string)
        #expect(time.hasPrefix("20") && time.hasSuffix("Z") && time.utf8.count == 24)
        let single = try await proxy.api("GET", path + "/")
        #expect(try JSONValue.parse(Array(single.text.utf8), maximumSize: 4096) == route)
        #expect(try await proxy.api("GET", "/user").status == 404, "exactly this route")
        await proxy.stop()
    }

    @Test(arguments: [
        ("", "Body not valid JSON: "), ("{", "Body not valid JSON: "),
        (#"{"target":"http://a","target":"http://b"}"#, "Body not valid JSON: "),
        ("[]", "Must specify 'target' as string"), ("null", "Must specify 'target' as string"),
        (#"{"target":1}"#, "Must specify 'target' as string"),
        (#"{"Target":"http://a"}"#, "Must specify 'target' as string"),
    ])
    func `a body that describes no route is refused and changes nothing`(
        body: String, text: String
    ) async throws {
        let proxy = try await ProxyFixture()
        try await proxy.add("/a", to: 1)
        let answer = try await proxy.api("POST", "/a", body)
        #expect(answer.status == 400 && answer.text.hasPrefix(text))
        #expect(try await proxy.table()["/a"]?["target"] == "http://127.0.0.1:1")
        await proxy.stop()
    }

    @Test(arguments: [
        ("GET", "/%zz", 400), ("POST", "/%zz", 400), ("DELETE", "/%ff", 400),
        ("GET", "/a/../b", 400), ("DELETE", "/%2e%2e/x", 400), ("PUT", "/a", 405),
        ("HEAD", "", 405), ("PATCH", "/", 405), ("GET", "x", 404), ("POST", "x/a", 404),
    ])
    func `what is no request of the API has an answer`(
        method: String, path: String, status: Int
    ) async throws {
        let proxy = try await ProxyFixture()
        let body = method == "POST" ? #"{"target":"http://h"}"# : nil
        #expect(try await proxy.api(method, path, body).status == status)
        await proxy.stop()
    }

    @Test func `a listing can be cut to those that were not used since`() async throws {
        let proxy = try await ProxyFixture()
        try await proxy.add("/a", to: 1)
        for (time, count) in [
            ("2000", 0), ("2099", 1), ("2099-01-01T00:00:00.000Z", 1), ("", 1),
            ("2099-01-01T00:00:00%2B00:00", 1), ("2000-01-01", 0), ("2000&x=%zz", 0),
            ("2099&inactiveSince=2000", 0), ("2000&inactiveSince=", 0), ("2000&%=%", 0),
        ] {
            let answer = try await proxy.api("GET", "?inactive_since=\(time)")
            let table = try JSONValue.parse(Array(answer.text.utf8), maximumSize: 4096).object
            #expect(table?.count == count, "\(time)")
        }
        let used = try #require(try await proxy.table()["/a"]?["last_activity"]?.string)
        #expect(try await proxy.api("GET", "?inactive_since=\(used)").text == "{}", "not before")
        let answer = try await proxy.api("GET", "?inactive_since=soon")
        #expect(answer.status == 400)
        #expect(answer.text == "Invalid datestamp 'soon' must be ISO8601.")
        let broken = try await proxy.api("GET", "?inactive_since=%zz")
        #expect(broken.status == 400)
        #expect(broken.text == "Invalid datestamp '%zz' must be ISO8601.")
        await proxy.stop()
    }

    @Test func `a long listing comes in pieces, and has every route once`() async throws {
        let proxy = try await ProxyFixture()
        let filling = String(repeating: "x", count: 4000)
        let paths = (0..<40).map { "/user/\($0)" }
        for path in paths {
            let body = #"{"target":"http://h","filling":"\#(filling)"}"#
            #expect(try await proxy.api("POST", path, body).status == 201)
        }
        let table = try await proxy.table()
        #expect(Set(table.keys) == Set(paths))
        #expect(table.values.allSatisfy { $0["filling"]?.string == filling })
        await proxy.stop()
    }

    @Test func `a body has its limit`() async throws {
        let proxy = try await ProxyFixture { $0.limits.routeBody = 100 }
        func body(_ count: Int) -> String {
            #"{"target":"http://h","x":""# + String(repeating: "x", count: count - 28) + #""}"#
        }
        #expect(body(100).utf8.count == 100)
        #expect(try await proxy.api("POST", "/a", body(100)).status == 201)
        #expect(try await proxy.api("POST", "/b", body(101)).status == 413)
        #expect(Set(try await proxy.table().keys) == ["/a"])
        await proxy.stop()
    }

    @Test func `a target that is no URL is kept and answers 500`() async throws {
        let proxy = try await ProxyFixture()
        for text in ["garbage", "ftp://h/", "http://", "http+unix://relative"] {
            let body = #"{"target":"\#(text)"}"#
            #expect(try await proxy.api("POST", "/bad", body).status == 201)
            #expect(try await proxy.get("/bad").status == 500, "\(text)")
            #expect(try await proxy.table()["/bad"]?["target"]?.string == text)
        }
        await proxy.stop()
    }

    @Test func `a WebSocket outlives its route`() async throws {
        let server = try RawServer { connection, _ in
            let socket = try await WebSocketServer(over: connection)
            while let frame = try await socket.receive() {
                try await socket.send(WebSocketFrame(text: frame.text))
            }
        }
        let proxy = try await ProxyFixture()
        try await proxy.add("/ws", to: server.port)
        let port = proxy.port
        let loop = EventLoop(name: "client")
        let opened = Delivery<Void>()
        let removed = Delivery<Void>()
        loop.start { loop in
            await opened.value()
            _ = try? await proxy.api("DELETE", "/ws")
            removed.deliver(())
        }
        try await EventLoop(name: "socket").attempt { loop in
            let socket = try await WebSocketClient(
                over: try await RawConnection.connect(port: port, on: loop), target: "/ws",
                authority: "127.0.0.1:\(port)", fields: [])
            opened.deliver(())
            await removed.value()
            try await socket.send("still there")
            #expect(try await socket.receive()?.text == "still there")
        }
        server.stop()
        #expect(try await proxy.get("/ws").status == 404)
        await proxy.stop()
    }

    @Test func `a route to a listener of ours ends at once`() async throws {
        let upstream = FakeUpstream()
        let server = try LocalServer.start { _ in upstream }
        let proxy = try await ProxyFixture()
        try await proxy.add("/good", to: server.port)
        try await proxy.add("/loop", to: proxy.port)
        for host in ["localhost", "127.0.0.2"] {
            let target = "{\"target\":\"http://\(host):\(proxy.port)\"}"
            #expect(try await proxy.api("POST", "/\(host)", target).status == 201)
        }
        #expect(try await proxy.get("/loop/x").status == 508)
        #expect(try await proxy.get("/localhost/x").status == 508)
        // The listener is at 127.0.0.1 alone, so nobody is there.
        #expect(try await proxy.get("/127.0.0.2/x").status == 503)
        #expect(upstream.count() == 0)
        #expect(try await proxy.get("/good/x").status == 200)
        // The API is another server, and has its own answer.
        try await proxy.add("/api", to: proxy.apiPort)
        #expect(try await proxy.get("/api/routes").status == 403)
        await proxy.stop()
        await server.stop()
    }

    @Test func `a route to a listener that is everywhere ends at once`() async throws {
        let proxy = try await ProxyFixture { configuration in
            guard case .tcp(_, let port) = configuration.listeners[0].address else { return }
            configuration.listeners[0].address = .tcp(host: "0.0.0.0", port: port)
        }
        for host in ["127.0.0.1", "127.0.0.2", "0.0.0.0"] {
            let target = "{\"target\":\"http://\(host):\(proxy.port)\"}"
            #expect(try await proxy.api("POST", "/\(host)", target).status == 201)
            #expect(try await proxy.get("/\(host)/x").status == 508, "\(host)")
        }
        await proxy.stop()
    }
}
