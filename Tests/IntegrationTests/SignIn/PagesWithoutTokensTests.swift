import GatehouseBase
import GatehouseTesting
import Testing

/// SECURITY-CASES D20: what our pages and answers hold, over real sockets.
struct PagesWithoutTokensTests {
    /// The value of the session's cookie.
    private func session(_ browser: TestClient, _ url: String) -> String? {
        browser.cookies(for: url).split(separator: "; ").first {
            $0.hasPrefix("__Host-Http-gatehouse=")
        }.map { String($0.dropFirst("__Host-Http-gatehouse=".count)) }
    }

    /// Everything that a page, or a script on one, can read of an answer.
    private func readable(_ response: WireResponse) -> String {
        let fields = response.fields.filter { $0.name.lowercased() != "set-cookie" }
        return fields.map { "\($0.name): \($0.value)\n" }.joined() + response.text
    }

    /// A callback with its `code` and `state`, which is not called yet.
    private func callback(_ lab: SignInFixture, _ browser: TestClient) async throws -> String {
        let visit = try await browser.follow(lab.url + "/x")
        guard let action = visit.response.formAction else { return visit.url.text }
        let answer = try await browser.post(
            visit.url.resolved(action), [("username", "alice"), ("password", "alice-pw")])
        return try #require(answer["location"])
    }

    @Test func `no page of a failing sign-in holds a code, a state, a cookie or a token`()
        async throws
    {
        let lab = try await SignInFixture()
        for trouble in [Mischief.Trouble.garbage, .status(500), .closed] {
            lab.provider.misbehave { $0.trouble[.token] = trouble }
            try await expectNothing(lab) { $0 }
        }
        for wrong in [Mischief.WrongToken.wrongNonce, .unknownKey, .brokenSignature] {
            lab.provider.misbehave { $0.idToken = wrong }
            try await expectNothing(lab) { $0 }
        }
        lab.provider.misbehave { $0.claims = ["preferred_username": "../x"] }
        try await expectNothing(lab) { $0 }
        lab.provider.behave()
        try await expectNothing(lab) { $0 + "&code=another" }
        try await expectNothing(lab) { $0 + "&error=access_denied" }
        try await expectNothing(lab) { $0.replacing("iss=", with: "iss=x") }
        try await expectNothing(lab) { $0.replacing("state=", with: "state=x") }
        #expect(try await lab.signIn().response.text == "hello from /x")
        await lab.stop()
    }

    /// Calls the callback of a new login, changed, and looks through the page.
    private func expectNothing(
        _ lab: SignInFixture, sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (String) -> String
    ) async throws {
        let browser = try lab.gateway.browser()
        let url = try #require(TestURL(try await callback(lab, browser)))
        let query = try #require(FormFields(parsing: Array(url.query.utf8)))
        let secrets = [
            try #require(query["code"]), try #require(query["state"]),
            try #require(browser.cookies(for: lab.url).split(separator: "=").last.map(String.init)),
            "eyJ", "test-secret",
        ]
        let page = try await browser.visit(change(url.text))
        #expect(page.status >= 400, sourceLocation: sourceLocation)
        for secret in secrets {
            #expect(!readable(page).contains(secret), sourceLocation: sourceLocation)
        }
    }

    @Test func `no answer to who is signed in holds a token or the session's cookie`() async throws
    {
        let lab = try await SignInFixture()
        lab.upstream.on("/gone") { _ in }
        let browser = try lab.gateway.browser()
        _ = try await browser.signIn(lab.url + "/x", username: "alice", password: "alice-pw")
        let cookie = try #require(session(browser, lab.url))
        let paths = [
            "/.gatehouse/session": 200, "/secret/x": 403, "/.gatehouse/nothing": 404, "/%zz": 400,
            "/x%2f..%2fsecret%2fy": 400, "/gone": 502, "/.gatehouse/logout": 200,
            "/.gatehouse/callback?code=x&state=y": 400, "/.gatehouse/logged-out": 200,
        ]
        for (path, status) in paths {
            let page = try await browser.visit(lab.url + path)
            #expect(page.status == status, "\(path)")
            for secret in [cookie, String(cookie.suffix(40)), "eyJ", "test-secret"] {
                #expect(!readable(page).contains(secret), "\(path)")
            }
            #expect(page["access-control-allow-origin"] == nil)
            #expect(page["cache-control"]?.contains("no-store") == true, "\(path)")
        }
        // What a script reads of the session is of no use as its cookie.
        let json = try #require(try await browser.send("GET", lab.url + "/.gatehouse/session").json)
        #expect(
            json.object.map { Set($0.keys) } == [
                "user", "idle_seconds", "absolute_seconds", "csrf", "logout_url",
            ])
        let word = try #require(json["csrf"]?.string)
        let other = try lab.gateway.browser()
        let field = ("Cookie", "__Host-Http-gatehouse=\(word)")
        #expect(try await other.send("GET", lab.url + "/x", fields: [field]).status == 401)
        #expect(try await browser.send("GET", lab.url + "/x").status == 200)
        await lab.stop()
    }

    @Test func `no script reads a cookie of ours`() async throws {
        let lab = try await SignInFixture()
        let browser = try lab.gateway.browser()
        var lines = try await browser.visit(lab.url + "/x").all("set-cookie")
        let landed = try await browser.visit(try await callback(lab, browser))
        #expect(landed.status == 302 && landed["location"] == lab.url + "/x")
        lines += landed.all("set-cookie")
        #expect(lines.contains { $0.hasPrefix("__Host-Http-gatehouse=") })
        #expect(lines.contains { $0.hasPrefix("__Host-Http-gatehouse-tx-") })
        for line in lines { #expect(line.contains("; HttpOnly"), "\(line)") }
        await lab.stop()
    }
}
