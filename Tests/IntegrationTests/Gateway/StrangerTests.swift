import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseTesting
import Synchronization
import Testing

/// What a stranger may say about a request, over real sockets.
struct StrangerTests {
    /// Fields that only a front may set.
    private static let forged = [
        ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Port", "81"), ("X-Forwarded-Prefix", "/evil"),
        ("Forwarded", "for=203.0.113.9;host=evil.example;proto=http"),
        ("X-Forwarded-For", "203.0.113.9, 10.0.0.1"), ("x-forwarded-for", "203.0.113.10"),
        ("X_Forwarded_For", "203.0.113.11"), ("X-Real-IP", "203.0.113.12"),
        ("True-Client-IP", "203.0.113.13"), ("CF-Connecting-IP", "203.0.113.14"),
        ("X-Original-URL", "https://evil.example/"),
    ]

    /// One request, every byte of its head as given.
    private func raw(_ gateway: TestGateway, _ head: String) async throws -> WireResponse {
        let tls = try gateway.certificate.client()
        let port = gateway.port
        return try await EventLoop(name: "raw").attempt { loop in
            let connection = try await RawConnection.connect(port: port, tls: tls, on: loop)
            try await connection.send(head + "\r\n")
            return try await connection.response()
        }
    }

    private func parameters(_ response: WireResponse) throws -> FormFields {
        let url = try #require(response["location"].flatMap(TestURL.init))
        return try #require(FormFields(parsing: Array(url.query.utf8)))
    }

    // SECURITY-CASES A07.
    @Test
    func `a doubled slash is private, dot segments are refused, and bytes go on as they came`()
        async throws
    {
        let lab = try await SignInFixture()
        let browser = try lab.gateway.browser()
        let doubled = ["//private", "/private//x", "//", "///private", "//private?x=/provider/"]
        for path in doubled {
            #expect(try await browser.send("GET", lab.url + path).status == 401, "\(path)")
            #expect(try await browser.visit(lab.url + path).status == 302, "\(path)")
        }
        let dots = [
            "/./private", "/private/.", "/.", "/private/..", "/provider/./../private",
            "//./private", "/private/./?x", "///provider",
        ]
        for path in dots { #expect(try await browser.send("GET", lab.url + path).status == 400) }
        #expect(lab.upstream.count() == 0 && lab.provider.count(.unknown) == 0)
        _ = try await browser.signIn(lab.url + "/x", username: "alice", password: "alice-pw")
        for path in dots { #expect(try await browser.send("GET", lab.url + path).status == 400) }
        #expect(lab.upstream.count() == 1)
        for path in doubled + ["/private/", "/a%2Fb/%70?x=%20+1//", "/.x/..y", "/private;.css"] {
            #expect(try await browser.send("GET", lab.url + path).status == 200, "\(path)")
            #expect(lab.upstream.lastRequest?.target == path)
        }
        await lab.stop()
    }

    // SECURITY-CASES A19.
    @Test func `a stranger's address is the peer's in limits, in both logs and at the upstream`()
        async throws
    {
        let lines = Locked<[String]>([])
        let lab = try await SignInFixture(
            configure: { $0.limits.logoutTokensPerPeer = 1 },
            log: Log(label: "test", level: .debug) { event in
                let text = event.fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
                lines.withLock { $0.append("\(event.message) \(text)") }
            },
            accessSink: { line in
                lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
            })
        let browser = try lab.gateway.browser()
        _ = try await browser.signIn(lab.url + "/x", username: "alice", password: "alice-pw")
        let answer = try await browser.send("GET", lab.url + "/y", fields: Self.forged)
        #expect(answer.status == 200)
        let request = try #require(lab.upstream.lastRequest)
        #expect(request.all("x-forwarded-for") == ["127.0.0.1"])
        #expect(request.all("x-real-ip") == ["127.0.0.1"])
        #expect(!request.fields.contains { $0.value.contains("203.0.113.") })
        // Whoever sends bad tokens is slowed down, under whatever address.
        let began = Instant.now()
        var statuses: [Int] = []
        for number in 0..<20 {
            let rejected = try await browser.post(
                lab.url + "/.gatehouse/backchannel-logout", [("logout_token", "x")],
                fields: [("X-Forwarded-For", "203.0.113.\(number)")])
            statuses.append(rejected.status)
        }
        let seconds = Int(Instant.now().since(began).wholeSeconds)
        #expect(statuses.count { $0 == 400 } <= seconds + 2)
        #expect(statuses.allSatisfy { $0 == 400 || $0 == 429 })
        await lab.stop()
        let all = lines.withLock { $0 }
        #expect(!all.contains { $0.contains("203.0.113.") })
        #expect(all.contains { $0.contains("client=127.0.0.1") && $0.contains("path=/y") })
        #expect(all.contains { $0.hasPrefix("login ") && $0.contains("peer=127.0.0.1") })
        #expect(all.contains { $0.hasPrefix("bcl_rejected ") && $0.contains("peer=127.0.0.1") })
    }

    // SECURITY-CASES C31.
    @Test func `addresses that we send to the provider come from the configuration alone`()
        async throws
    {
        let lab = try await SignInFixture()
        let browser = try lab.gateway.browser()
        let fields = TestClient.navigation + Self.forged
        let callbackURL = lab.url + "/.gatehouse/callback"
        for path in ["/x", "/.gatehouse/login?rd=/x"] {
            let start = try await browser.send("GET", lab.url + path, fields: fields)
            #expect(start.status == 302)
            #expect(try parameters(start)["redirect_uri"] == callbackURL)
            #expect(start["location"]?.contains("evil") == false)
        }
        // The same to the end: the provider compares the redirect_uri of the token request.
        let start = try await browser.send("GET", lab.url + "/x", fields: fields)
        let page = try await browser.visit(try #require(start["location"]))
        let action = try #require(page.formAction)
        let answer = try await browser.post(
            lab.url + action, [("username", "alice"), ("password", "alice-pw")])
        let callback = try #require(answer["location"])
        #expect(callback.hasPrefix(callbackURL + "?"))
        let landed = try await browser.send("GET", callback, fields: fields)
        #expect(landed.status == 302 && landed["location"] == lab.url + "/x")
        #expect(try await browser.visit(lab.url + "/x").status == 200)
        let leaving = [
            ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-User", "?1"), ("Sec-Fetch-Dest", "document"),
        ]
        let left = try await browser.send(
            "GET", lab.url + "/.gatehouse/logout", fields: leaving + Self.forged)
        #expect(
            try parameters(left)["post_logout_redirect_uri"] == lab.url + "/.gatehouse/logged-out")
        await lab.stop()
    }

    // SECURITY-CASES C31, A13.
    @Test func `a foreign Host starts no login, and another spelling of ours changes no address`()
        async throws
    {
        let lab = try await SignInFixture()
        let port = lab.gateway.port
        let navigation = TestClient.navigation.map { "\($0.0): \($0.1)\r\n" }.joined()
        for host in ["LOCALHOST:\(port)", "localhost.:\(port)", "LocalHost.:\(port)"] {
            let start = try await raw(
                lab.gateway, "GET /x HTTP/1.1\r\nHost: \(host)\r\n" + navigation)
            #expect(start.status == 302)
            #expect(
                try parameters(start)["redirect_uri"] == lab.url + "/.gatehouse/callback")
        }
        let foreign = [
            "evil.example", "evil.example:\(port)", "localhost", "localhost:1",
            "localhost:\(port).evil.example", "localhost.evil.example:\(port)",
            "evil.example@localhost:\(port)", "127.0.0.1:\(port)",
        ]
        for host in foreign {
            let answer = try await raw(
                lab.gateway, "GET /x HTTP/1.1\r\nHost: \(host)\r\n" + navigation)
            #expect([400, 421].contains(answer.status), "\(host)")
            #expect(answer["location"] == nil && answer["set-cookie"] == nil)
        }
        let absolute = try await raw(
            lab.gateway,
            "GET https://evil.example/x HTTP/1.1\r\nHost: localhost:\(port)\r\n" + navigation)
        #expect(absolute.status == 400 && absolute["location"] == nil)
        #expect(lab.upstream.count() == 0)
        await lab.stop()
    }
}
