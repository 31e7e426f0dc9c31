import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// The wire of fronts as they come: cloudflared's, and that of an nginx without any setting.
struct FrontWireTests {
    /// In Go's spelling.
    private static let cloudflare = [
        ("User-Agent", "Mozilla/5.0"), ("Accept-Encoding", "gzip, br"), ("Cdn-Loop", "cloudflare"),
        ("Cf-Connecting-Ip", "203.0.113.7"), ("Cf-Ipcountry", "DE"), ("Cf-Ray", "8f0-FRA"),
        ("Cf-Visitor", #"{"scheme":"https"}"#), ("X-Forwarded-For", "6.6.6.6,203.0.113.7"),
        ("X-Forwarded-Proto", "https"), ("Connection", "keep-alive"),
    ]

    private func head(
        _ fields: [(String, String)], _ first: String, host: String
    ) -> String {
        fields.reduce("\(first)\r\nHost: \(host)\r\n") { $0 + "\($1.0): \($1.1)\r\n" } + "\r\n"
    }

    @Test(arguments: ["localhost", "127.0.0.1", "origin.internal"])
    func `a tunnel signs in, posts and opens a WebSocket, whatever name its TLS asks for`(
        name: String
    ) async throws {
        let front = try await FrontFixture(.cloudflareTunnel, usesTLS: true)
        front.upstream.on("/ws") { exchange in
            let key = exchange.request.fields.text(.secWebSocketKey) ?? ""
            var head = ResponseHead(101)
            head.fields.append(.upgrade, "websocket")
            head.fields.append(.secWebSocketAccept, WebSocketAccept.value(for: key))
            let stream = try await exchange.upgrade(head)
            guard try await stream.read() != nil else { return }
            try await stream.write(WebSocketFrame(text: "pong").encoded())
            _ = try await stream.read()
        }
        let gateway = front.lab.gateway
        let browser = try gateway.browser()
        _ = try await browser.signIn(front.url + "/x", username: "alice", password: "alice-pw")
        front.upstream.forget()
        let cookie = [("Cookie", browser.cookies(for: front.url))]
        // No ALPN, no verification; an address is no name, so it asks for none.
        let tls = try ClientTLS(insecureSkipVerify: true, namesProtocol: false)
        let authority = front.authority
        let gets = head(Self.cloudflare + cookie, "GET /x HTTP/1.1", host: authority)
        let post = head(
            Self.cloudflare + cookie + [("Content-Length", "4"), ("Origin", front.url)],
            "POST /save HTTP/1.1", host: authority)
        try await EventLoop(name: "tunnel").attempt { loop in
            let connection = try await RawConnection.connect(
                port: gateway.port, tls: tls, name: name, on: loop)
            for text in [gets, post + "body", gets] {
                try await connection.send(text)
                #expect(try await connection.response().status == 200)
            }
            let second = try await RawConnection.connect(
                port: gateway.port, tls: tls, name: name, on: loop)
            let socket = try await WebSocketClient(
                over: second, target: "/ws", authority: authority,
                fields: Self.cloudflare.filter { $0.0 != "Connection" } + cookie)
            try await socket.send("ping")
            #expect(try await socket.receive()?.text == "pong")
        }
        for request in front.upstream.requests {
            #expect(request.all("x-forwarded-for") == ["203.0.113.7"])
            #expect(request.all("x-forwarded-proto") == ["https"])
            #expect(request.all("cf-connecting-ip").isEmpty)
        }
        #expect(front.upstream.requests.map(\.path) == ["/x", "/save", "/x", "/ws"])
        await front.stop()
        #expect(front.log.contains { $0.contains("path=/ws") && $0.contains("203.0.113.7") })
    }

    @Test func `an idle connection outlives the 90 seconds that cloudflared keeps it`() throws {
        let text =
            "state_dir: none\nroutes: []\naccess: [{path: /**, allow: public}]\nlisteners:\n  - address: \"127.0.0.1:1\"\n"
        let decoded = ConfigurationDecoder.decode(
            text: text, name: "test", environment: [:], readFile: { _ in [] })
        let configuration = try #require(decoded.configuration)
        let idle =
            configuration.listeners[0].keepAliveIdle ?? configuration.limits.keepAliveIdle
        #expect(idle > .seconds(90))
    }

    @Test func `a careless nginx gets its answers, and is told what it does not pass on`()
        async throws
    {
        let upstream = FakeUpstream()
        let server = try LocalServer.start { _ in upstream }
        let proxy = try await ProxyFixture()
        try await proxy.add("/", to: server.port)
        let careless = [("Connection", "close"), ("Accept", "text/html")]
        let host = "127.0.0.1:\(proxy.port)"
        let key = [
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13"),
        ]
        let plain = head(careless, "GET /x HTTP/1.0", host: host)
        let socket = head(careless + key, "GET /ws HTTP/1.0", host: host)
        try await EventLoop(name: "nginx").attempt { loop in
            let first = try await RawConnection.connect(port: proxy.port, on: loop)
            try await first.send(plain)
            let answer = try await first.response()
            #expect(answer.status == 200 && answer["connection"] == "close")
            #expect(answer.text == "hello from /x" && answer["transfer-encoding"] == nil)
            #expect(await !first.waitForEnd())
            let second = try await RawConnection.connect(port: proxy.port, on: loop)
            try await second.send(socket)
            let refusal = try await second.response()
            #expect(refusal.status == 400)
            #expect(refusal.text.contains("the proxy in front does not pass Upgrade on"))
        }
        #expect(upstream.requests.map(\.path) == ["/x"])
        await proxy.stop()
        await server.stop()
    }

    @Test func `to HTTP 1 0 an event stream comes piece by piece and ends by close`() async throws {
        let (upstream, turns) = (FakeUpstream(), Journal())
        upstream.on("/events") { exchange in
            var head = ResponseHead(200)
            head.fields.append(.contentType, "text/event-stream")
            try await exchange.begin(head)
            for number in 1...3 {
                try await exchange.write(Array("data: \(number)\n\n".utf8))
                try await turns.wait(for: "\(number) was read", on: exchange.core)
            }
            try await exchange.finish()
        }
        let server = try LocalServer.start { _ in upstream }
        let proxy = try await ProxyFixture()
        try await proxy.add("/", to: server.port)
        let ask = head([("Connection", "close")], "GET /events HTTP/1.0", host: "127.0.0.1")
        try await EventLoop(name: "nginx").attempt { loop in
            let connection = try await RawConnection.connect(port: proxy.port, on: loop)
            try await connection.send(ask)
            let head = String(
                decoding: try await connection.read(until: "\r\n\r\n"), as: UTF8.self)
            #expect(head.contains("\r\nX-Accel-Buffering: no\r\n"))
            #expect(!head.contains("Transfer-Encoding") && !head.contains("Content-Length"))
            for number in 1...3 {
                _ = try await connection.read(until: "data: \(number)\n\n")
                turns.note("\(number) was read")
            }
            #expect(try await connection.readToEnd().isEmpty)
        }
        await proxy.stop()
        await server.stop()
    }
}
