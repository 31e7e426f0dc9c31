import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Synchronization
import Testing

/// Scripts with API tokens of JupyterHub's, over sockets.
struct TokenLaneTests {
    private func expectRefused(
        _ response: WireResponse, _ status: Int, _ error: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(response.status == status, sourceLocation: sourceLocation)
        #expect(response.text == #"{"error":"\#(error)"}"#, sourceLocation: sourceLocation)
        #expect(response["content-type"] == "application/json", sourceLocation: sourceLocation)
        #expect(response["set-cookie"] == nil, sourceLocation: sourceLocation)
        #expect(response["location"] == nil, sourceLocation: sourceLocation)
    }

    // SECURITY-CASES G08, G10.
    @Test func `a script with an API token goes on working, without any cookie`() async throws {
        let lab = try await HubFixture()
        var answer = Response(200, contentType: "application/json", "[]")
        for line in ["jupyterhub-session-id=x; Path=/", "_xsrf=1; Path=/", "theirs=1; Path=/"] {
            answer.head.fields.append("Set-Cookie", line)
        }
        answer.head.fields.append("Cache-Control", "public, max-age=60")
        lab.hub.on("/hub/api/users", answer)
        let fields = [
            ("Cookie", "jupyterhub-session-id=y; a=b"), ("X-Auth-User", "root"),
            ("Sec-Fetch-Mode", "cors"), ("Origin", "https://other.example"),
        ]
        let users = try await lab.get(
            "/hub/api/users?limit=2", token: "alices", fields, method: "POST", body: [0x78])
        #expect(users.status == 200 && users.text == "[]")
        #expect(users["set-cookie"] == nil)
        #expect(users["cache-control"] == "private, max-age=60")
        let own = try await lab.get("/user/alice/api/contents", token: "alices")
        #expect(own.text == "hello from /user/alice/api/contents")
        #expect(lab.hub.requests.map(\.target) == ["/hub/api/user", "/hub/api/users?limit=2"])
        let (question, request) = (lab.hub.requests[0], lab.hub.requests[1])
        #expect(question.method == "GET" && question.body.isEmpty)
        #expect(question.all("authorization") == ["token alices"])
        #expect(question["cookie"] == nil && question["origin"] == nil)
        #expect(question["host"]?.hasPrefix("127.0.0.1:") == true)
        #expect(question["accept-encoding"] == "identity")
        #expect(request.all("authorization") == ["token alices"])
        #expect(request.body == [0x78])
        #expect(request["cookie"] == nil && request["x-auth-user"] == nil)
        #expect(lab.server.requests.map { $0.all("authorization") } == [["token alices"]])
        await lab.stop()
    }

    // SECURITY-CASES G08, G09, G10, F07.
    @Test func `of what is refused the upstream sees nothing but the question`() async throws {
        let lab = try await HubFixture()
        let browser = [("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate")]
        for token in ["junk", "labs"] {
            for fields in [[], browser] {
                expectRefused(
                    try await lab.get("/user/alice/lab", token: token, fields), 401,
                    "invalid_token")
            }
        }
        #expect(lab.asked == 2)
        let client = try lab.gateway.browser()
        let others = [
            [("Authorization", "Basic YWxpY2U6YWxpY2Vz")], [("Authorization", "Bearer alices")],
            [("Authorization", "token alices"), ("Authorization", "token alices")],
            [("Authorization", "token alices, token alices")], [],
        ]
        for fields in others {
            let answer = try await client.send(
                "GET", lab.url + "/user/alice/lab?token=alices", fields: fields)
            #expect(answer.status == 401)
            #expect(answer.text.contains("login_required"))
        }
        for path in ["/user/bob/lab", "/admin/x", "/secret/x"] {
            #expect(try await lab.get(path, token: "alices").status == 403)
        }
        #expect(try await lab.get("/user/grader/lab", token: "services").status == 403)
        #expect(lab.forwarded == [])
        #expect(lab.hub.requests.allSatisfy { $0.method == "GET" && $0.path == HubFixture.api })
        #expect(try await lab.get("/user/alice/lab", token: "alices").status == 200)
        #expect(try await lab.get("/hub/home", token: "services").status == 200)
        #expect(lab.forwarded == ["/hub/home", "/user/alice/lab"])
        await lab.stop()
    }

    // SECURITY-CASES G06, G08.
    @Test func `JupyterLab's token is worth nothing without the session that it came in`()
        async throws
    {
        let lab = try await HubFixture()
        let (alice, bob) = (
            try await lab.gateway.browser(of: "alice"), try await lab.gateway.browser(of: "bob")
        )
        var login = Response(200)
        login.head.fields.append(.setCookie, "jupyterhub-session-id=0123; Path=/")
        lab.hub.on("/hub/oauth_callback", login)
        _ = try await alice.visit(lab.url + "/hub/oauth_callback")
        lab.hub.forget()
        let token = [("Authorization", "token labs")]
        let url = lab.url + "/user/alice/api/kernels"
        for _ in 0..<2 { #expect(try await alice.send("GET", url, fields: token).status == 200) }
        #expect(lab.asked == 1)
        // A page that was open before Bob signed in: he is Bob there.
        func asksAsBob() async throws {
            #expect(try await bob.send("GET", lab.url + "/hub/home", fields: token).status == 200)
            let request = try #require(lab.hub.requests.last)
            #expect(request.target == "/hub/home" && request.all("authorization").isEmpty)
            expectRefused(
                try await bob.send("GET", lab.url + "/hub/home?token=labs", fields: []), 401,
                "invalid_token")
        }
        try await asksAsBob()
        let cookie = [("Cookie", alice.cookies(for: lab.url))]
        #expect(try await lab.gateway.signOut(alice) < 400)
        let copied = try await lab.get("/user/alice/api/kernels", token: "alices", cookie)
        #expect(copied.status == 401)
        #expect(copied.text.contains("login_required"))
        try await asksAsBob()
        expectRefused(
            try await lab.get("/user/alice/api/kernels", token: "labs"), 401, "invalid_token")
        #expect(lab.server.count() == 2)
        #expect(try await lab.get("/user/alice/x", token: "alices").status == 200)
        await lab.stop()
    }

    // SECURITY-CASES F02, F07.
    @Test func `a script's WebSocket needs a token and no Origin`() async throws {
        let origins = Locked<[String?]>([])
        let sockets = try RawServer { connection, _ in
            let head = ReceivedRequest(try await connection.request().head)
            origins.withLock { $0.append(head["origin"]) }
            let key = head["sec-websocket-key"] ?? ""
            try await connection.send(WebSocketServer.acceptance(of: key) + "\r\n")
            while let bytes = try await connection.read() { try await connection.send(bytes) }
        }
        let lab = try await HubFixture(serverPort: sockets.port)
        let head =
            "GET /user/alice/api/kernels/k/channels HTTP/1.1\r\nHost: \(lab.gateway.authority)\r\n"
            + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        try await EventLoop(name: "script").attempt { loop in
            for token in ["junk", "labs", ""] {
                let refused = try await lab.gateway.connect(on: loop)
                try await refused.send(head + "Authorization: token \(token)\r\n\r\n")
                #expect(try await refused.response().status == 401)
            }
            #expect(origins.withLock { $0.count } == 0)
            let socket = try await lab.gateway.connect(on: loop)
            try await socket.send(head + "Authorization: token alices\r\n\r\n")
            #expect(try await socket.response().status == 101)
            try await socket.send(WebSocketFrame(text: "1+1").encoded(mask: [0, 0, 0, 0]))
            #expect(try await socket.read() != nil)
        }
        #expect(origins.withLock { $0 } == [nil])
        await lab.stop()
        sockets.stop()
    }

    // SECURITY-CASES G08.
    @Test func `many scripts with one token at once ask JupyterHub once`() async throws {
        let lab = try await HubFixture()
        lab.hub.on(HubFixture.api) { exchange in
            await EventLoop.sleep(.milliseconds(300), on: exchange.core)
            await exchange.send(HubFixture.answer(to: exchange.request))
        }
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { try await lab.get("/user/alice/x", token: "alices").status }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == [Int](repeating: 200, count: 8))
        #expect(lab.asked == 1)
        await lab.stop()
    }

    // SECURITY-CASES G08.
    @Test func `a flood of junk gets 429, and JupyterHub little of it`() async throws {
        let lab = try await HubFixture(configure: { $0.limits.hubTokensPerPeer = 2 })
        #expect(try await lab.get("/user/alice/x", token: "alices").status == 200)
        var statuses: [Int: Int] = [:]
        for number in 0..<40 {
            let answer = try await lab.get("/user/alice/x", token: "junk-\(number)")
            statuses[answer.status, default: 0] += 1
            if answer.status == 429 {
                expectRefused(answer, 429, "too_many_tokens")
                #expect(answer["retry-after"] == "1")
            }
        }
        #expect(Set(statuses.keys) == [401, 429])
        #expect(lab.asked == 1 + (statuses[401] ?? 0))
        #expect(lab.server.count() == 1)
        #expect(try await lab.get("/user/alice/x", token: "alices").status == 200)
        await lab.stop()
    }

    // SECURITY-CASES G08.
    @Test func `while JupyterHub does not answer, scripts get 503 and nothing is forwarded`()
        async throws
    {
        let lab = try await HubFixture(configure: {
            $0.limits.hubTokenTime = .milliseconds(200)
            $0.limits.hubTokenBody = 1024
        })
        let scripts: [FakeUpstream.Script] = [
            { exchange in
                await EventLoop.sleep(.seconds(2), on: exchange.core)
                await exchange.send(HubFixture.answer(to: exchange.request))
            },
            { exchange in
                // As it should be, but for its size.
                let answer = HubFixture.answer(to: exchange.request)
                await exchange.send(
                    Response(200, body: answer.body + [UInt8](repeating: 0x20, count: 4096)))
            },
            { exchange in await exchange.send(Response(500)) },
            { exchange in
                var moved = Response(302)
                moved.head.fields.append("Location", "/hub/api/other")
                await exchange.send(moved)
            },
        ]
        for script in scripts {
            lab.hub.on(HubFixture.api, script)
            let began = Instant.now()
            let answer = try await lab.get("/user/alice/x", token: "alices")
            expectRefused(answer, 503, "hub_unavailable")
            #expect(answer["retry-after"] == "5")
            #expect(Instant.now().since(began) < .seconds(2))
        }
        #expect(lab.forwarded == [])
        lab.hub.on(HubFixture.api) { exchange in
            await exchange.send(HubFixture.answer(to: exchange.request))
        }
        #expect(try await lab.get("/user/alice/x", token: "alices").status == 200)
        await lab.stop()
    }

    @Test func `where the settings say where JupyterHub's API is, it is asked there`() async throws
    {
        let folder = TestCertificate()
        let (port, path) = (try LocalPort(), folder.directory + "/hub.sock")
        let elsewhere = FakeUpstream()
        for name in ["/inner/api/user", "/api/user"] {
            elsewhere.on(name) { exchange in
                await exchange.send(HubFixture.answer(to: exchange.request))
            }
        }
        let servers = [
            try LocalServer.start(port) { _ in elsewhere },
            try LocalServer.start(LocalPort(socketPath: path)) { _ in elsewhere },
        ]
        for url in [
            "http://127.0.0.1:\(port.number)/inner/api/",
            "http+unix://\(PercentCoding.encode(path))/api",
        ] {
            let lab = try await HubFixture(configure: { $0.jupyterHub.apiURL = url })
            #expect(try await lab.get("/user/alice/x", token: "alices").status == 200)
            #expect(lab.asked == 0)
            await lab.stop()
        }
        #expect(elsewhere.requests.map(\.target) == ["/inner/api/user", "/api/user"])
        let unused = LocalPort.unused()
        let lab = try await HubFixture(configure: {
            $0.jupyterHub.apiURL = "http://127.0.0.1:\(unused)/hub/api"
        })
        expectRefused(
            try await lab.get("/user/alice/x", token: "alices"), 503, "hub_unavailable")
        #expect(lab.forwarded == [] && lab.asked == 0)
        await lab.stop()
        for server in servers { await server.stop() }
        withExtendedLifetime(folder) {}
    }

    @Test func `a Hub whose route the API has made is asked on that route`() async throws {
        let apiPort = LocalPort.unused()
        var hubURL = ""
        let lab = try await HubFixture(configure: { configuration in
            hubURL = configuration.routes.first { $0.path == "/" }?.upstream.name ?? ""
            configuration.routes.removeAll { $0.path == "/" }
            var listener = ListenerSettings(
                address: .tcp(host: "127.0.0.1", port: apiPort), role: .api)
            listener.token = Secret("secret")
            configuration.listeners.append(listener)
            configuration.routesAPI.preset = .jupyterhub
        })
        // The Hub is not known yet.
        expectRefused(
            try await lab.get("/user/alice/x", token: "alices"), 503, "hub_unavailable")
        let made = try await TestClient().send(
            "POST", "http://127.0.0.1:\(apiPort)/api/routes/",
            fields: [("Authorization", "token secret")],
            body: Array(#"{"target":"\#(hubURL)"}"#.utf8))
        #expect(made.status == 201)
        #expect(try await lab.get("/hub/home", token: "alices").status == 200)
        #expect(lab.hub.requests.map(\.target) == ["/hub/api/user", "/hub/home"])
        await lab.stop()
    }

    // SECURITY-CASES D18.
    @Test func `no line holds a token, and those of the access log name who bears it`()
        async throws
    {
        let lines = Locked<[String]>([])
        let log = Log(label: "", level: .debug) { event in
            let text = event.message + event.fields.map { " \($0.name)=\($0.value)" }.joined()
            lines.withLock { $0.append(text) }
        }
        let lab = try await HubFixture(
            configure: { $0.log.access = true }, log: log,
            accessSink: { bytes in
                lines.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
            })
        for token in ["alices", "services", "labs", "junk"] {
            _ = try await lab.get("/hub/home?q=1", token: token)
        }
        await lab.stop()
        let all = lines.withLock { $0 }
        #expect(all.contains("token_lane result=ok user=alice peer=127.0.0.1"))
        #expect(
            all.contains("token_lane result=refused reason=session user=alice peer=127.0.0.1"))
        #expect(all.contains { $0.contains("/hub/home") && $0.contains("user=alice") })
        #expect(all.contains { $0.contains("/hub/home") && $0.contains("service=grader") })
        for line in all {
            for token in ["alices", "services", "labs", "junk"] { #expect(!line.contains(token)) }
        }
    }
}
