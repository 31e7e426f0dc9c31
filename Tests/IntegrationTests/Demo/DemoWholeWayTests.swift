import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseTesting
import Testing

/// The demonstration as a newcomer meets it: gateway, provider and application, over TLS.
struct DemoWholeWayTests {
    /// What one browser saw of its connections, each with the milliseconds from the cause.
    struct Deaths: Sendable {
        var closeCode: UInt16?
        var socket = Duration.zero
        var events = Duration.zero
    }

    private func start() async throws -> TestGateway {
        try await TestGateway { _ in DemoApplication() }
    }

    /// Opens a WebSocket and an event stream with a browser's cookies, lets `cause` happen and
    /// waits for their ends.
    private func deaths(
        _ gateway: TestGateway, _ browser: TestClient,
        after cause: @escaping @Sendable () async throws -> Void
    ) async throws -> Deaths {
        let url = gateway.publicURL
        let cookies = browser.cookies(for: url)
        let tls = try gateway.certificate.client()
        let port = gateway.port
        return try await browser.loop.attempt { loop in
            let socket = try await WebSocketClient(
                over: try await RawConnection.connect(port: port, tls: tls, on: loop),
                target: "/echo", authority: "localhost:\(port)", fields: [("Cookie", cookies)])
            try await socket.send("alive")
            #expect(try await socket.receive()?.text == "alive")
            let events = try await RawConnection.connect(port: port, tls: tls, on: loop)
            try await events.send(
                "GET /events HTTP/1.1\r\nHost: localhost:\(port)\r\nCookie: \(cookies)\r\n\r\n")
            _ = try await events.read(until: "data: 1 ")
            try await cause()
            let began = Instant.now()
            var deaths = Deaths()
            deaths.closeCode = try await socket.receive()?.closeCode
            _ = await socket.connection.waitForEnd()
            deaths.socket = Instant.now().since(began)
            _ = await events.waitForEnd()
            deaths.events = Instant.now().since(began)
            return deaths
        }
    }

    @Test func `alice signs in, and the application learns it and nothing of our cookies`()
        async throws
    {
        let gateway = try await start()
        let browser = try gateway.browser()
        let visit = try await browser.signIn(
            gateway.publicURL + "/deep/link?x=1", username: "alice", password: "alice-pw")
        #expect(visit.url.target == "/deep/link?x=1")
        #expect(visit.response.text.contains("Alice Adams"))
        #expect(!visit.response.text.contains("__Host-Http-gatehouse"))
        #expect(try await browser.visit(gateway.publicURL + "/user/alice/").status == 200)
        #expect(try await browser.visit(gateway.publicURL + "/user/bob/").status == 403)
        await gateway.stop()
    }

    @Test func `signing out kills the live connections of that browser and of no other`()
        async throws
    {
        let gateway = try await start()
        let (alice, bob) = (try gateway.browser(), try gateway.browser())
        let url = gateway.publicURL
        _ = try await alice.signIn(url, username: "alice", password: "alice-pw")
        _ = try await bob.signIn(url, username: "bob", password: "bob-pw")
        let deaths = try await deaths(gateway, alice) {
            let fields = [
                ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "navigate"),
                ("Sec-Fetch-User", "?1"), ("Sec-Fetch-Dest", "document"),
            ]
            let answer = try await alice.send("GET", url + "/.gatehouse/logout", fields: fields)
            #expect(answer.status == 302)
            #expect(answer["location"]?.hasPrefix(url + "/provider/") == true)
        }
        #expect(deaths.closeCode == 1008)
        #expect(deaths.socket < .seconds(1))
        #expect(deaths.events < .seconds(1))
        #expect(try await bob.visit(url + "/").status == 200)
        #expect(try await alice.send("GET", url + "/").status == 401)
        await gateway.stop()
    }

    @Test func `the end of the provider's session does the same by the back channel`()
        async throws
    {
        let gateway = try await start()
        let browser = try gateway.browser()
        _ = try await browser.signIn(gateway.publicURL, username: "alice", password: "alice-pw")
        let deaths = try await deaths(gateway, browser) {
            await gateway.provider.logOut("alice")
        }
        #expect(deaths.closeCode == 1008)
        #expect(deaths.events < .seconds(1))
        #expect(gateway.provider.logoutCalls.map(\.status) == [200])
        #expect(try await browser.send("GET", gateway.publicURL + "/").status == 401)
        await gateway.stop()
    }

    @Test func `no wrong ID token signs anybody in, and a good one beside it does`() async throws {
        let upstream = FakeUpstream()
        let gateway = try await TestGateway { _ in upstream }
        for wrong in Mischief.WrongToken.allCases {
            gateway.provider.misbehave { $0.idToken = wrong }
            let browser = try gateway.browser()
            let visit = try await browser.signIn(
                gateway.publicURL + "/x", username: "alice", password: "alice-pw")
            #expect(visit.url.path == "/.gatehouse/callback", "\(wrong)")
            #expect(visit.response.status >= 400, "\(wrong)")
            #expect(upstream.count() == 0, "\(wrong)")
            #expect(try await browser.send("GET", gateway.publicURL + "/x").status == 401)
        }
        gateway.provider.behave()
        let good = try await gateway.browser().signIn(
            gateway.publicURL + "/x", username: "alice", password: "alice-pw")
        #expect(good.response.text == "hello from /x")
        #expect(upstream.lastRequest?["x-auth-user"] == "alice")
        await gateway.stop()
    }
}
