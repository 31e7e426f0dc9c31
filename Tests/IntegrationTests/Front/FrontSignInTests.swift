import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseTesting
import Testing

/// Sign-in through a front: its listener has no TLS of its own.
struct FrontSignInTests {
    private static let nginx = [
        ("X-Forwarded-For", "6.6.6.6, 203.0.113.7"), ("X-Forwarded-Proto", "https"),
    ]
    private let cookie = "__Host-Http-gatehouse="

    @Test(arguments: [
        (FrontSettings.Profile.nginx, nginx),
        (.nginx, [("X-Forwarded-For", "203.0.113.7"), ("X-Scheme", "https")]),
        (
            .cloudflareTunnel,
            [
                ("Cf-Connecting-Ip", "203.0.113.7"), ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-For", "6.6.6.6"), ("Cf-Visitor", #"{"scheme":"https"}"#),
            ]
        ),
        (.forwarded, [("Forwarded", "for=6.6.6.6, for=203.0.113.7;proto=https")]),
    ])
    func `through a trusted front that says https a login works without TLS`(
        profile: FrontSettings.Profile, fields: [(String, String)]
    ) async throws {
        let front = try await FrontFixture(profile)
        let browser = front.browser(fields)
        let visit = try await browser.signIn(
            front.url + "/x?y", username: "alice", password: "alice-pw")
        #expect(visit.response.status == 200 && visit.response.text == "hello from /x")
        #expect(browser.cookies(for: front.url).contains(cookie))
        #expect(try await browser.send("GET", front.url + "/again").status == 200)
        let request = try #require(front.upstream.lastRequest)
        let port = "\(front.lab.gateway.port)"
        for (name, value) in [
            ("X-Forwarded-For", "203.0.113.7"), ("X-Real-IP", "203.0.113.7"),
            ("X-Forwarded-Proto", "https"), ("X-Scheme", "https"), ("X-Forwarded-Port", port),
            ("X-Forwarded-Host", front.authority), ("Host", front.authority),
            ("X-Auth-User", "alice"),
        ] { #expect(request.all(name) == [value], "\(name)") }
        for name in ["Forwarded", "CF-Connecting-IP", "CF-Visitor", "Cookie"] {
            #expect(request.all(name).isEmpty, "\(name)")
        }
        // Without the cookie nobody gets in.
        #expect(try await front.browser(fields).send("GET", front.url + "/x").status == 401)
        await front.stop()
        let log = front.log
        #expect(log.contains { $0.contains("client=203.0.113.7") && $0.contains("path=/again") })
        #expect(log.contains { $0.hasPrefix("login ") && $0.contains("peer=203.0.113.7") })
        #expect(!log.contains { $0.contains("6.6.6.6") || $0.contains("client=127.0.0.1") })
    }

    // SECURITY-CASES D05.
    @Test(arguments: [
        (FrontSettings.Profile.nginx, ["10.0.0.0/8"]), (.nginx, []),
        (.none, ["127.0.0.1/32"]), (.cloudflareTunnel, ["10.0.0.0/8"]),
        (.forwarded, ["127.0.0.2/32"]),
    ])
    func `the same from a peer that is not trusted gets the page that names front trusted`(
        profile: FrontSettings.Profile, trusted: [String]
    ) async throws {
        let front = try await FrontFixture(profile, trusted: trusted)
        let all = [
            Self.nginx, [("CF-Connecting-IP", "203.0.113.7"), ("X-Forwarded-Proto", "https")],
            [("Forwarded", "for=203.0.113.7;proto=https")], [("X-Scheme", "https")],
            [("X_Forwarded_Proto", "https")],
        ]
        for fields in all {
            let browser = front.browser(fields)
            let visit = try await browser.signIn(
                front.url + "/x", username: "alice", password: "alice-pw")
            #expect(visit.response.status == 400)
            #expect(visit.response.text.contains("front.trusted"))
            #expect(visit.response.text.contains("127.0.0.1"))
            #expect(browser.cookies(for: front.url).isEmpty)
        }
        #expect(front.upstream.count() == 0 && front.lab.provider.count(.authorization) == 0)
        // nginx by default: HTTP/1.0, no field, another Host.
        for host in [front.authority, "127.0.0.1:8000"] {
            let mute = try await front.send(
                [TestClient.navigation], host: host, version: "HTTP/1.0")[0]
            #expect(mute.status == 400 && mute.text.contains("front.trusted"))
            #expect(mute["location"] == nil && mute["set-cookie"] == nil)
        }
        #expect(front.upstream.count() == 0)
        // Who says nothing is sent to TLS.
        let plain = try await front.browser([]).visit(front.url + "/x")
        #expect(plain.status == 307 && plain["location"] == front.url + "/x")
        await front.stop()
    }

    @Test func `a trusted front that says http is sent to TLS, one that says nothing gets a page`()
        async throws
    {
        let front = try await FrontFixture(.nginx)
        let browser = front.browser(Self.nginx)
        _ = try await browser.signIn(front.url + "/x", username: "alice", password: "alice-pw")
        front.upstream.forget()
        let cookies = [("Cookie", browser.cookies(for: front.url))]
        let address = [("X-Forwarded-For", "203.0.113.7")]
        let clear = address + [("X-Forwarded-Proto", "http")]
        let moved = try await front.get(clear + cookies + TestClient.navigation)
        #expect(moved.status == 307 && moved["location"] == front.url + "/x")
        #expect(moved["cache-control"] == "no-store" && moved["set-cookie"] == nil)
        #expect(try await front.get(clear + cookies).status == 421)
        let silent = try await front.get(address + cookies + TestClient.navigation)
        #expect(silent.status == 400 && silent.text.contains("X-Forwarded-Proto"))
        #expect(silent["location"] == nil && silent["set-cookie"] == nil)
        #expect(front.upstream.count() == 0)
        #expect(try await front.get(Self.nginx + cookies).status == 200)
        // A front that sets no field at all would be sent round for ever.
        let mute = try await front.get(cookies + TestClient.navigation)
        #expect(mute.status == 400 && mute.text.contains("X-Forwarded-Proto"))
        #expect(mute["location"] == nil && front.upstream.count() == 1)
        await front.stop()
    }

    @Test func `over TLS too the browser's scheme is what the front says`() async throws {
        let front = try await FrontFixture(.nginx, usesTLS: true)
        let browser = try front.lab.gateway.browser()
        _ = try await browser.signIn(front.url + "/x", username: "alice", password: "alice-pw")
        front.upstream.forget()
        let fields = TestClient.navigation + [("X-Forwarded-For", "203.0.113.7")]
        let http = fields + [("X-Forwarded-Proto", "http")]
        let moved = try await browser.send("GET", front.url + "/x", fields: http)
        #expect(moved.status == 307 && front.upstream.count() == 0)
        for scheme in [[("X-Forwarded-Proto", "https")], []] {
            let answer = try await browser.send("GET", front.url + "/x", fields: fields + scheme)
            #expect(answer.status == 200)
            #expect(front.upstream.lastRequest?.all("x-forwarded-proto") == ["https"])
            #expect(front.upstream.lastRequest?.all("x-forwarded-for") == ["203.0.113.7"])
        }
        await front.stop()
    }

    // SECURITY-CASES C31, A13.
    @Test(arguments: rewriting)
    func `a Host that a trusted front rewrote is put back, and no other name gets in`(
        profile: FrontSettings.Profile, said: [(String, String)]
    ) async throws {
        let front = try await FrontFixture(profile)
        let browser = front.browser(said)
        _ = try await browser.signIn(front.url + "/x", username: "alice", password: "alice-pw")
        front.upstream.forget()
        let fields = said + [("Cookie", browser.cookies(for: front.url)), ("Origin", front.url)]
        let rewritten = [("X-Forwarded-Host", front.authority)]
        for host in Self.rewrittenHosts {
            let answer = try await front.get(fields + rewritten, host: host)
            #expect(answer.status == 200)
            #expect(front.upstream.lastRequest?.all("host") == [front.authority])
            #expect(front.upstream.lastRequest?.all("x-forwarded-host") == [front.authority])
            let start = try await front.get(
                said + rewritten + TestClient.navigation, host: host)
            let callback = FormFields.encode(front.url + "/.gatehouse/callback")
            #expect(start.status == 302)
            #expect(start["location"]?.contains("redirect_uri=\(callback)") == true)
        }
        front.upstream.forget()
        let evil = [("X-Forwarded-Host", "evil.example")]
        for fields in [fields, said + TestClient.navigation] {
            let answer = try await front.get(fields + evil, host: "gatehouse.internal")
            #expect(answer.status == 421)
            #expect(answer["location"] == nil && answer["set-cookie"] == nil)
        }
        #expect(front.upstream.count() == 0)
        // A client can say it past a front that leaves Host as it is.
        #expect(try await front.get(fields + evil).status == 200)
        #expect(front.upstream.lastRequest?.all("host") == [front.authority])
        #expect(front.upstream.lastRequest?.all("x-forwarded-host") == [front.authority])
        await front.stop()
    }

    /// Jupyter opens a kernel's WebSocket only where Origin and Host are the same.
    @Test(arguments: rewriting)
    func `a WebSocket whose Host a trusted front rewrote comes with the browser's, as its Origin`(
        profile: FrontSettings.Profile, said: [(String, String)]
    ) async throws {
        let journal = Journal()
        let kernel = try RawServer { connection, _ in
            let request = ReceivedRequest(try await connection.request().head)
            let seen = ["host", "origin", "x-forwarded-host"].map { name in
                request.all(name).joined(separator: ",")
            }
            journal.note(seen.joined(separator: " "))
            let key = try #require(request["sec-websocket-key"])
            try await connection.send(WebSocketServer.acceptance(of: key) + "\r\n")
            // What it gets it gives back, unmasked: the mask of this test is zero.
            guard let frame = try await connection.read() else { return }
            try await connection.send([frame[0], frame[1] & 0x7F] + frame.dropFirst(6))
        }
        let front = try await FrontFixture(profile) { configuration in
            let url = Origin(scheme: .http, host: "127.0.0.1", port: kernel.port)
            configuration.routes.append(
                RouteSettings(
                    path: "/kernel", upstream: UpstreamSettings(name: "\(url)", url: url)))
        }
        let browser = front.browser(said)
        _ = try await browser.signIn(front.url + "/x", username: "alice", password: "alice-pw")
        let fields = said + [("Cookie", browser.cookies(for: front.url)), ("Origin", front.url)]
        @Sendable func open(
            _ more: [(String, String)], host: String, on loop: isolated EventLoop
        ) async throws -> WebSocketClient {
            try await WebSocketClient(
                over: try await front.connect(on: loop), target: "/kernel/channels",
                authority: host, fields: fields + more)
        }
        try await EventLoop(name: "front").attempt { loop in
            for host in Self.rewrittenHosts {
                let socket = try await open(
                    [("X-Forwarded-Host", front.authority)], host: host, on: loop)
                try await socket.connection.send(
                    WebSocketFrame(text: "ping").encoded(mask: [0, 0, 0, 0]))
                #expect(try await socket.receive()?.text == "ping")
            }
            let once = "\(front.authority) \(front.url) \(front.authority)"
            #expect(journal.events == Self.rewrittenHosts.map { _ in once })
            for more in [[("X-Forwarded-Host", "evil.example")], []] {
                await #expect(throws: WireError.self) {
                    _ = try await open(more, host: "gatehouse.internal", on: loop)
                }
            }
            #expect(journal.events.count == Self.rewrittenHosts.count)
        }
        await front.stop()
        kernel.stop()
    }

    private static let rewriting: [(FrontSettings.Profile, [(String, String)])] = [
        (.nginx, nginx),
        (
            .cloudflareTunnel,
            [("Cf-Connecting-Ip", "203.0.113.7"), ("X-Forwarded-Proto", "https")]
        ),
    ]
    private static let rewrittenHosts = ["127.0.0.1:8000", "gatehouse.internal", "localhost:1"]
}
