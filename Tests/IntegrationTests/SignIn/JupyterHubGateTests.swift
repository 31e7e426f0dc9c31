import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// The preset `jupyterhub` over real sockets: what reaches the Hub, and what the browser gets.
@Suite struct JupyterHubGateTests {
    private let upstream = FakeUpstream()

    private func gateway(
        settings: GatewaySettings = GatewaySettings(), limit: Int? = nil
    ) async throws -> TestGateway {
        let upstream = upstream
        return try await TestGateway(
            settings: settings,
            configure: { configuration in
                for index in configuration.routes.indices
                where configuration.routes[index].path == "/" {
                    configuration.routes[index].preset = .jupyterhub
                    configuration.routes[index].maximumBody = limit
                }
            }, upstream: { _ in upstream })
    }

    private static let button = [
        ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-User", "?1"), ("Sec-Fetch-Dest", "document"), ("Accept", "text/html"),
    ]

    /// What a Hub sets at its login.
    private func setLogin(_ value: String) {
        var response = Response(200, contentType: "text/html", "hub")
        response.head.fields.append(
            .setCookie, "jupyterhub-hub-login=\(value); HttpOnly; Path=/hub/")
        response.head.fields.append(.setCookie, "jupyterhub-session-id=s-\(value); Path=/")
        response.head.fields.append(.setCookie, "jupyterhub-user-bob=planted; Path=/user/bob/")
        upstream.on("/hub/oauth_callback", response)
    }

    // SECURITY-CASES I01, I02, B14.
    @Test func `a Hub's cookie is worth nothing in another session`() async throws {
        let gateway = try await gateway()
        let alice = try await gateway.browser(of: "alice")
        setLogin("alice")
        let login = try await alice.visit(gateway.publicURL + "/hub/oauth_callback")
        #expect(login.all("set-cookie").count == 2)
        _ = try await alice.visit(gateway.publicURL + "/hub/home")
        let seen = try #require(upstream.lastRequest?["cookie"])
        #expect(seen.contains("jupyterhub-hub-login=alice"))
        #expect(seen.contains("jupyterhub-session-id=s-alice"))
        let bob = try await gateway.browser(of: "bob")
        bob.setCookie("jupyterhub-hub-login=alice; Path=/hub/", from: gateway.publicURL + "/hub/x")
        bob.setCookie("jupyterhub-session-id=s-alice; Path=/", from: gateway.publicURL + "/")
        bob.setCookie("_xsrf=kept; Path=/", from: gateway.publicURL + "/")
        _ = try await bob.visit(gateway.publicURL + "/hub/home")
        #expect(upstream.lastRequest?["cookie"] == "_xsrf=kept")
        await gateway.stop()
    }

    @Test func `the Hub's log out ends the session, whatever the Hub answers`() async throws {
        let gateway = try await gateway()
        upstream.on("/hub/logout", Response(200, contentType: "text/html", "you are still here"))
        let alice = try await gateway.browser(of: "alice")
        setLogin("alice")
        _ = try await alice.visit(gateway.publicURL + "/hub/oauth_callback")
        let answer = try await alice.send(
            "GET", gateway.publicURL + "/hub/logout", fields: JupyterHubGateTests.button)
        #expect(answer.status == 303)
        #expect(!answer.text.contains("still here"))
        #expect(upstream.lastRequest?["cookie"]?.contains("jupyterhub-hub-login=alice") == true)
        let location = try #require(answer["location"])
        // A browser that does not follow it ends nothing.
        #expect(try await alice.send("GET", gateway.publicURL + "/hub/home").status == 200)
        let end = try await alice.send(
            "GET", gateway.publicURL + location, fields: JupyterHubGateTests.button)
        #expect(end.status == 302)
        #expect(end["location"]?.contains("/provider/") == true)
        #expect(alice.cookies(for: gateway.publicURL + "/hub/home").isEmpty)
        let count = upstream.count("/hub/home")
        let again = try await alice.send("GET", gateway.publicURL + "/hub/home")
        #expect(again.status == 401)
        #expect(upstream.count("/hub/home") == count)
        await gateway.stop()
    }

    // SECURITY-CASES B18.
    @Test(arguments: [true, false])
    func `a user's server binds nothing of the origin that it shares, the Hub may`(
        isPublic: Bool
    ) async throws {
        let pages = try LocalServer.start { [upstream] _ in upstream }
        let target = "upstream: \"http://127.0.0.1:\(pages.port)\""
        let allow = isPublic ? "public" : "signed_in"
        let settings = GatewaySettings(
            routes: [
                "{path: /user/eve, \(target), preset: jupyterhub}",
                "{path: /services/eve, \(target), preset: jupyterhub}",
                "{path: /plain, \(target)}",
            ],
            access: ["user/eve", "services/eve", "hub", "plain"].map {
                "{path: /\($0)/**, allow: \(allow)}"
            })
        let gateway = try await gateway(settings: settings)
        let alice = try await gateway.browser(of: "alice")
        let fields = [
            ("service-worker-allowed", "/"), ("strict-transport-security", "max-age=0"),
            ("nel", "{}"), ("report-to", "{}"), ("alt-svc", "h3=\"evil.example:443\""),
        ]
        for (path, passes) in [
            ("/user/eve/sw.js", false), ("/services/eve/sw.js", false), ("/hub/sw.js", true),
            ("/plain/sw.js", true),
        ] {
            var response = Response(200, contentType: "text/javascript", "1")
            for (name, value) in fields { response.head.fields.append(name, value) }
            upstream.on(path, response)
            let answer = try await alice.visit(gateway.publicURL + path)
            #expect(answer.status == 200 && answer.text == "1")
            for (name, value) in fields {
                #expect(answer[name] == (passes ? value : nil), "\(name) of \(path)")
            }
        }
        await gateway.stop()
        await pages.stop()
    }

    // SECURITY-CASES I13.
    @Test func `the whole head of a log out's answer is below 4 kB, whatever servers have set`()
        async throws
    {
        let pages = try LocalServer.start { [upstream] _ in upstream }
        let paths = ["/user/eve"] + (0..<14).map { "/user/alice/server-\($0)" }
        let settings = GatewaySettings(
            routes: paths.map {
                "{path: \($0), upstream: \"http://127.0.0.1:\(pages.port)\", preset: jupyterhub}"
            }, access: ["{path: /user/**, allow: signed_in}"])
        let gateway = try await gateway(settings: settings)
        let alice = try await gateway.browser(of: "alice")
        setLogin("alice")
        _ = try await alice.visit(gateway.publicURL + "/hub/oauth_callback")
        for (path, name) in paths.map({ ($0, $0.dropFirst().replacing("/", with: "-")) }) {
            var response = Response(200)
            let lengths = path == "/user/eve" ? [900, 1000, 1200, 4000] : [0]
            for length in lengths {
                let more = String(repeating: "p", count: length)
                response.head.fields.append(
                    .setCookie, "jupyterhub-\(name)=x; Path=\(path)/\(more)")
            }
            upstream.on(path, response)
            #expect(try await alice.visit(gateway.publicURL + path).status == 200)
        }
        let answer = try await alice.send(
            "GET", gateway.publicURL + "/hub/logout", fields: JupyterHubGateTests.button)
        let end = try await alice.send(
            "GET", gateway.publicURL + (try #require(answer["location"])),
            fields: JupyterHubGateTests.button)
        #expect(end.status == 302)
        let size = end.fields.reduce(20) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        #expect(size < 4096, "\(size)")
        #expect(end.all("set-cookie").contains("jupyterhub-hub-login=; Max-Age=0; Path=/hub/"))
        #expect(alice.cookies(for: gateway.publicURL + "/hub/home").isEmpty)
        await gateway.stop()
        await pages.stop()
    }

    @Test func `a Hub that does not answer does not hold a log out up`() async throws {
        let gateway = try await gateway()
        upstream.on("/hub/logout") { exchange in
            await EventLoop.sleep(.seconds(20), on: exchange.core)
            await exchange.send(Response(200))
        }
        let alice = try await gateway.browser(of: "alice")
        let began = Instant.now()
        let answer = try await alice.send(
            "GET", gateway.publicURL + "/hub/logout", fields: JupyterHubGateTests.button)
        #expect(answer.status == 303)
        // Its patience is the feature: two seconds.
        #expect(Instant.now().since(began) < .seconds(8))
        await gateway.stop()
    }

    @Test func `the token of our question does not reach the Hub`() async throws {
        let gateway = try await gateway()
        let alice = try await gateway.browser(of: "alice")
        let url = gateway.publicURL + "/hub/logout"
        let question = try await alice.send("GET", url, fields: [("Accept", "text/html")])
        #expect(question.status == 200)
        #expect(upstream.count("/hub/logout") == 0)
        let start = try #require(question.text.firstRange(of: "gatehouse_logout="))
        let token = question.text[start.upperBound...].prefix { $0 != "\"" }
        let pressed = try await alice.send(
            "GET", "\(url)?a=1&gatehouse_logout=\(token)&b=2", fields: [("Accept", "text/html")])
        #expect(pressed.status == 303)
        #expect(upstream.lastRequest?.target == "/hub/logout?a=1&b=2")
        await gateway.stop()
    }

    enum Trouble: CaseIterable {
        case refused, closed, silent
    }

    @Test(arguments: Trouble.allCases, [true, false])
    func `a server that fails is 503 under the preset, which is no dead kernel for JupyterLab`(
        trouble: Trouble, hasPreset: Bool
    ) async throws {
        let journal = Journal()
        let server = try RawServer { connection, _ in
            _ = try await connection.request()
            journal.note("asked")
            // Until the gateway has had enough.
            if trouble == .silent { _ = try await connection.read() }
        }
        let port = trouble == .refused ? LocalPort.unused() : server.port
        let preset = hasPreset ? "jupyterhub" : "none"
        let settings = GatewaySettings(
            routes: ["{path: /user/alice, upstream: server, preset: \(preset)}"],
            more: [
                "upstreams: {server: {url: \"http://127.0.0.1:\(port)\", first_byte_timeout: 300ms}}"
            ])
        let gateway = try await gateway(settings: settings)
        let alice = try await gateway.browser(of: "alice")
        let answer = try await alice.send("GET", gateway.publicURL + "/user/alice/api/kernels/1")
        #expect(answer.status == (hasPreset ? 503 : trouble == .silent ? 504 : 502))
        #expect(answer.all("retry-after") == (hasPreset ? ["5"] : []))
        #expect(answer["cache-control"]?.contains("no-store") == true)
        #expect(journal.events == (trouble == .refused ? [] : ["asked"]))
        #expect(try await alice.send("GET", gateway.publicURL + "/hub/home").status == 200)
        await gateway.stop()
        server.stop()
    }

    @Test(arguments: [true, false])
    func `a body above the route's limit is refused, one below it passes`(
        hasLength: Bool
    ) async throws {
        let gateway = try await gateway(limit: 1000)
        let alice = try await gateway.browser(of: "alice")
        let cookies = alice.cookies(for: gateway.publicURL)
        for (size, status) in [(1000, 200), (1001, 413)] {
            let length =
                hasLength ? "Content-Length: \(size)" : "Transfer-Encoding: chunked"
            let body = [UInt8](repeating: 0x61, count: size)
            let framed =
                hasLength
                ? body
                : Array("\(String(size, radix: 16))\r\n".utf8) + body + Array("\r\n0\r\n\r\n".utf8)
            let head =
                "PUT /big HTTP/1.1\r\nHost: \(gateway.authority)\r\nCookie: \(cookies)\r\n"
                + "Origin: \(gateway.publicURL)\r\n\(length)\r\n\r\n"
            let loop = EventLoop(name: "test-body")
            let answer = try await loop.attempt { loop in
                let connection = try await gateway.connect(on: loop)
                try await connection.send(Array(head.utf8) + framed)
                return try await connection.response(to: .put)
            }
            #expect(answer.status == status)
        }
        await gateway.stop()
    }

    // SECURITY-CASES F08.
    @Test func `what a person types in a kernel keeps a session alive, pollers and events do not`()
        async throws
    {
        let echo = try RawServer { connection, _ in
            let socket = try await WebSocketServer(over: connection)
            while let frame = try await socket.receive() { try await socket.send(frame) }
        }
        let upstream = upstream
        let pages = try LocalServer.start { _ in upstream }
        var settings = GatewaySettings(routes: [
            "{path: /user, upstream: \"http://127.0.0.1:\(echo.port)\", preset: jupyterhub}",
            "{path: /user/bob/api/kernels, upstream: \"http://127.0.0.1:\(pages.port)\", "
                + "preset: jupyterhub}",
            "{path: /user/bob/lab, upstream: \"http://127.0.0.1:\(pages.port)\", "
                + "preset: jupyterhub}",
        ])
        let gateway = try await TestGateway(settings: settings) { _ in upstream }
        let alice = try await gateway.browser(of: "alice")
        let bob = try await gateway.browser(of: "bob")
        settings.more = ["session: {idle: 4s}"]
        let short = settings
        try await alice.loop.attempt { loop in
            let kernel = try await gateway.webSocket(
                "/user/alice/api/kernels/1/channels", alice, on: loop)
            let events = try await gateway.webSocket(
                "/user/bob/api/events/subscribe", bob, on: loop)
            try await gateway.reload(short)
            var polls: [Int] = []
            var end: WebSocketFrame?
            for _ in 0..<120 where end == nil {
                for socket in [kernel, events] {
                    try? await socket.send(WebSocketFrame(text: "typed"))
                }
                let answer = try? await events.receive()
                if answer?.closeCode != nil { end = answer }
                #expect(try await kernel.receive()?.closeCode == nil)
                let poll = try await bob.send(
                    "GET", gateway.publicURL + "/user/bob/api/kernels")
                polls.append(poll.status)
                // What a page keeps of its own layout, with a body.
                _ = try await bob.send(
                    "PUT", gateway.publicURL + "/user/bob/lab/api/workspaces/default",
                    body: Array("{}".utf8))
                await EventLoop.sleep(.milliseconds(100), on: loop.core)
            }
            #expect(end?.closeCode == 1008)
            #expect(polls.first == 200)
            #expect(try await alice.visit(gateway.publicURL + "/").status == 200)
            #expect(try await bob.send("GET", gateway.publicURL + "/").status == 401)
        }
        await gateway.stop()
        await pages.stop()
        echo.stop()
    }

    @Test func `a page in place of ours says as well when to come again`() async throws {
        let upstream = upstream
        let gateway = try await TestGateway(
            configure: { configuration in
                configuration.routes.indices.forEach {
                    configuration.routes[$0].preset = .jupyterhub
                }
                configuration.forwarding.errorPages.directory = "/nowhere"
            }, upstream: { _ in upstream })
        upstream.on("/user/alice/dead") { $0.endsAfterAnswer() }
        let alice = try await gateway.browser(of: "alice")
        let answer = try await alice.send("GET", gateway.publicURL + "/user/alice/dead")
        #expect(answer.status == 503)
        #expect(answer.text == "Service Unavailable")
        #expect(answer["retry-after"] == "5")
        #expect(answer["cache-control"] == "no-store")
        await gateway.stop()
    }

    @Test func `a page in place of ours for a busy server says when to come again`() async throws {
        let journal = Journal()
        let server = try RawServer { connection, loop in
            _ = try await connection.request()
            journal.note("asked")
            try await journal.wait(for: "go", on: loop.core)
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        }
        let upstream = upstream
        let gateway = try await TestGateway(
            loops: 1,
            settings: GatewaySettings(
                routes: ["{path: /busy, upstream: server}"],
                more: [
                    "upstreams: {server: {url: \"http://127.0.0.1:\(server.port)\", "
                        + "max_connections: 1, connect_timeout: 300ms}}"
                ]),
            configure: { $0.forwarding.errorPages.directory = "/nowhere" },
            upstream: { _ in upstream })
        let alice = try await gateway.browser(of: "alice")
        let cookies = alice.cookies(for: gateway.publicURL)
        try await EventLoop(name: "first").attempt { loop in
            let first = try await gateway.connect(on: loop)
            try await first.send(
                "GET /busy HTTP/1.1\r\nHost: \(gateway.authority)\r\nCookie: \(cookies)\r\n\r\n")
            try await journal.wait(for: "asked", on: loop.core)
            let second = try await alice.send("GET", gateway.publicURL + "/busy")
            #expect(second.status == 503 && second.text == "Service Unavailable")
            #expect(second.all("retry-after") == ["2"])
            journal.note("go")
            #expect(try await first.response().text == "late")
        }
        #expect(journal.count("asked") == 1)
        await gateway.stop()
        server.stop()
    }
}
