import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseTesting
import Testing

/// Servers behind the gateway that belong to somebody else, or stand beside it.
struct OtherPeoplesServersTests {
    private static let name = "__Host-Http-gatehouse"

    private func cookie(_ browser: TestClient, _ url: String) throws -> String {
        try #require(
            browser.cookies(for: url).split(separator: "; ").first {
                $0.hasPrefix(Self.name + "=")
            }.map { String($0.dropFirst(Self.name.count + 1)) })
    }

    private static let upgrade = [
        ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]

    // SECURITY-CASES H06.
    @Test func `a server of alice's that bob visits gets no cookie of ours and no token of his`()
        async throws
    {
        // Whoever is signed in may enter, as where servers are shared.
        let lab = try await SignInFixture {
            $0.access.removeAll { $0.path.description == "/user/*/**" }
        }
        let evil = "/user/alice/evil"
        var answer = Response(200, contentType: "text/html", "<script src=x></script>")
        for line in ["\(Self.name)=evil; Path=/", "theirs=1; Path=/user/alice/"] {
            answer.head.fields.append("Set-Cookie", line)
        }
        answer.head.fields.append("X-Gatehouse-Login", "https://evil.example/")
        answer.head.fields.append("Clear-Site-Data", "\"cookies\"")
        lab.upstream.on(evil, answer)
        let bob = try lab.gateway.browser()
        bob.setCookie("bobs-own=1; Path=/", from: lab.url)
        _ = try await bob.signIn(lab.url + "/x", username: "bob", password: "bob-pw")
        // A login in another tab is under way too.
        _ = try await bob.visit(lab.url + "/.gatehouse/login?rd=/y")
        bob.setCookie(
            "\(Self.name)-tx-AAAAAAAAAAA=\(String(repeating: "A", count: 43))", from: lab.url)
        let secret = try cookie(bob, lab.url)
        lab.upstream.forget()
        let page = try await bob.visit(lab.url + evil)
        #expect(page.status == 200)
        #expect(page.all("set-cookie") == ["theirs=1; Path=/user/alice/"])
        #expect(page["x-gatehouse-login"] == nil && page["clear-site-data"] == nil)
        _ = try await bob.send(
            "POST", lab.url + evil, fields: [("Origin", lab.url)], body: Array("x=1".utf8))
        _ = try await bob.send(
            "GET", lab.url + evil, fields: Self.upgrade + [("Origin", lab.url)])
        #expect(lab.upstream.count(evil) == 3)
        for request in lab.upstream.requests {
            let text =
                request.fields.map { "\($0.name): \($0.value)\n" }.joined() + request.target
                + String(decoding: request.body, as: UTF8.self)
            for mark in [secret, String(secret.suffix(40)), "gatehouse", "eyJ", "Bearer"] {
                #expect(!text.lowercased().contains(mark.lowercased()), "\(mark)")
            }
            #expect(request["authorization"] == nil)
            #expect(request.all("x-auth-user") == ["bob"])
            #expect(request["cookie"]?.contains("bobs-own=1") == true)
        }
        #expect(try cookie(bob, lab.url) == secret)
        await lab.stop()
    }

    // SECURITY-CASES H06.
    @Test func `where the rule says so, alice's server sees nothing of bob at all`() async throws {
        let lab = try await SignInFixture()
        let bob = try lab.gateway.browser()
        _ = try await bob.signIn(lab.url + "/x", username: "bob", password: "bob-pw")
        lab.upstream.forget()
        #expect(try await bob.visit(lab.url + "/user/alice/evil").status == 403)
        let socket = Self.upgrade + [("Origin", lab.url)]
        let refused = try await bob.send("GET", lab.url + "/user/alice/evil", fields: socket)
        #expect(refused.status == 403)
        #expect(lab.upstream.count() == 0)
        #expect(try await bob.visit(lab.url + "/user/bob/lab").status == 200)
        await lab.stop()
    }

    // SECURITY-CASES I08.
    @Test
    func `cookies that a sibling host throws change no session and reach no upstream as ours`()
        async throws
    {
        let lab = try await SignInFixture()
        let (bob, mallory) = (try lab.gateway.browser(), try lab.gateway.browser())
        _ = try await bob.signIn(lab.url + "/x", username: "bob", password: "bob-pw")
        _ = try await mallory.signIn(lab.url + "/x", username: "alice", password: "alice-pw")
        let (own, other) = (try cookie(bob, lab.url), try cookie(mallory, lab.url))
        let mine = "\(Self.name)=\(own)"
        let client = try lab.gateway.browser()
        func get(_ lines: [String]) async throws -> WireResponse {
            try await client.send("GET", lab.url + "/x", fields: lines.map { ("Cookie", $0) })
        }
        let thrown = [
            "_xsrf=evil", "session=evil", "gatehouse=\(other)", "__Secure-gatehouse=\(other)",
            "__Host-gatehouse=\(other)", "__Http-gatehouse=\(other)", "=\(other)",
            "Http-gatehouse=\(other)", "\(Self.name)-tx-AAAAAAAAAAA=evil",
            "\(Self.name)-loop=9.9", "__host-http-gatehouse=\(other)",
        ]
        for cookie in thrown {
            for lines in [["\(cookie); \(mine)"], ["\(mine); \(cookie)"], [cookie, mine]] {
                #expect(try await get(lines).status == 200, "\(cookie)")
                let request = try #require(lab.upstream.lastRequest)
                #expect(request.all("x-auth-user") == ["bob"], "\(cookie)")
                let passed = request.all("cookie").joined(separator: "; ")
                #expect(!passed.lowercased().contains("__host-http-gatehouse"), "\(cookie)")
                #expect(!passed.contains(own))
            }
        }
        // Our own name thrown beside ours: nobody's session, neither bob's nor the thrower's.
        lab.upstream.forget()
        let theirs = "\(Self.name)=\(other)"
        for lines in [["\(theirs); \(mine)"], ["\(mine); \(theirs)"], [theirs, mine]] {
            #expect(try await get(lines).status == 401)
        }
        #expect(lab.upstream.count() == 0)
        #expect(try await get([mine]).status == 200)
        await lab.stop()
    }

    // SECURITY-CASES I08.
    @Test
    func
        `a browser takes no cookie of our name from a sibling host, and thrown ones stop no login`()
        async throws
    {
        let lab = try await SignInFixture()
        let bob = try lab.gateway.browser()
        for index in 0..<12 {
            let id = "AAAAAAAAA" + (index < 10 ? "\(index)A" : "B\(index - 10)")
            bob.setCookie(
                "\(Self.name)-tx-\(id)=\(String(repeating: "A", count: 43)); Path=/", from: lab.url)
        }
        bob.setCookie("_xsrf=evil; Path=/", from: lab.url)
        let start = try await bob.visit(lab.url + "/x")
        let page = try await bob.visit(try #require(start["location"]))
        let answer = try await bob.post(
            lab.url + (try #require(page.formAction)),
            [("username", "bob"), ("password", "bob-pw")])
        let landed = try await bob.visit(try #require(answer["location"]))
        #expect(landed["location"] == lab.url + "/x")
        #expect(try await bob.visit(lab.url + "/x").status == 200)
        // What makes a browser refuse the same name with a Domain, from whatever host
        // (draft-ietf-httpbis-rfc6265bis §4.1.3): the prefix, and what it asks for.
        for line in start.all("set-cookie") + landed.all("set-cookie") {
            #expect(line.hasPrefix("__Host-"), "\(line)")
            #expect(line.contains("; Path=/; Secure; HttpOnly"), "\(line)")
            #expect(!line.lowercased().contains("domain"), "\(line)")
        }
        // And a server on a sibling host that we forward for cannot set it at all.
        var thrown = Response(200)
        thrown.head.fields.append(
            "Set-Cookie", "\(Self.name)=evil; Path=/; Secure; Domain=localhost")
        thrown.head.fields.append("Set-Cookie", "_xsrf=evil; Domain=localhost")
        lab.upstream.on("/throws", thrown)
        let passed = try await bob.visit(lab.url + "/throws").all("set-cookie")
        #expect(passed == ["_xsrf=evil; Domain=localhost"])
        await lab.stop()
    }
}
