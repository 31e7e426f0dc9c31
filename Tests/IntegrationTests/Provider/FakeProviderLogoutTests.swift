import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseOIDC
import GatehouseTesting
import Synchronization
import Testing

struct FakeProviderLogoutTests {
    @Test func `a hint and a registered address end the session and lead there at once`()
        async throws
    {
        let lab = try ProviderFixture()
        let hint = try #require(try await lab.tokens()["id_token"]?.string)
        let response = try await lab.browser.visit(
            lab.url(
                "/protocol/openid-connect/logout",
                [
                    ("id_token_hint", hint), ("client_id", "app"),
                    ("post_logout_redirect_uri", ProviderFixture.afterLogout), ("state", "s 1&"),
                ]))
        #expect(response.status == 302)
        #expect(response["location"] == ProviderFixture.afterLogout + "?state=s+1%26")
        #expect(lab.provider.sessionIDs.isEmpty)
        // The next sign-in asks for a password again.
        #expect(try await lab.authorize().status == 200)
        await lab.server.stop()
    }

    @Test func `a form does the same, and a second time nobody is called`() async throws {
        let lab = try ProviderFixture(clients: ["app": "http://127.0.0.1:1/x"])
        let hint = try #require(try await lab.tokens()["id_token"]?.string)
        let form = [
            ("id_token_hint", hint), ("post_logout_redirect_uri", ProviderFixture.afterLogout),
        ]
        let url = lab.url("/protocol/openid-connect/logout")
        #expect(try await lab.browser.post(url, form).status == 302)
        #expect(lab.provider.logoutCalls.count == 1)
        #expect(try await lab.browser.post(url, form).status == 302)
        #expect(lab.provider.logoutCalls.count == 1)
        await lab.server.stop()
    }

    @Test func `without a hint a person is asked first`() async throws {
        let lab = try ProviderFixture()
        _ = try await lab.tokens()
        let page = try await lab.browser.visit(
            lab.url(
                "/protocol/openid-connect/logout",
                [
                    ("client_id", "app"),
                    ("post_logout_redirect_uri", ProviderFixture.afterLogout),
                ]))
        #expect(page.status == 200)
        #expect(lab.provider.sessionIDs.count == 1)
        let word = try #require(page.hidden("session_code"))
        let here = try #require(TestURL(lab.issuer))
        let action = here.resolved(try #require(page.formAction))
        let answer = try await lab.browser.post(action, [("session_code", word)])
        #expect(answer["location"] == ProviderFixture.afterLogout)
        #expect(lab.provider.sessionIDs.isEmpty)
        await lab.server.stop()
    }

    @Test func `another session's hint asks first and bad ones are refused`() async throws {
        let lab = try ProviderFixture()
        let alice = try #require(try await lab.tokens()["id_token"]?.string)
        lab.browser.forgetCookies()
        let answer = try await lab.tokens(as: "bob", password: "bob-pw")
        let access = try #require(answer["access_token"]?.string)
        let url = lab.url("/protocol/openid-connect/logout")
        #expect(try await lab.browser.post(url, [("id_token_hint", alice)]).status == 200)
        #expect(lab.provider.sessionIDs.count == 2)
        for bad in ["garbage", access, String(alice.dropLast(4)) + "AAAA"] {
            #expect(try await lab.browser.post(url, [("id_token_hint", bad)]).status == 400)
        }
        for uri in ["https://evil.example.org/", ProviderFixture.afterLogout + "?x=1"] {
            let form = [("client_id", "app"), ("post_logout_redirect_uri", uri)]
            #expect(try await lab.browser.post(url, form).status == 400)
        }
        #expect(lab.provider.sessionIDs.count == 2)
        // Without cookies the token alone is a key to the logout of its own session.
        lab.browser.forgetCookies()
        #expect(try await lab.browser.post(url, [("id_token_hint", alice)]).status == 200)
        #expect(lab.provider.sessionIDs.count == 1)
        await lab.server.stop()
    }

    @Test func `clients are told one after the other, while the session is still alive`()
        async throws
    {
        let upstream = FakeUpstream()
        let receiver = try LocalServer.start { _ in upstream }
        let url = "http://127.0.0.1:\(receiver.port)/back"
        upstream.on("/back/b", Response(500))
        let lab = try ProviderFixture(
            clients: ["a": url + "/a", "b": url + "/b", "c": nil, "d": url + "/d"],
            post: LogoutPoster().post)
        for client in ["b", "a", "c"] { _ = try await lab.tokens(client: client) }
        let sid = try #require(lab.provider.sessionIDs.first)
        await lab.provider.endSession(sid: sid)
        #expect(lab.provider.logoutCalls.map(\.client) == ["b", "a"])
        #expect(lab.provider.logoutCalls.map(\.status) == [500, 200])
        #expect(upstream.requests.map(\.path) == ["/back/b", "/back/a"])
        let request = try #require(upstream.lastRequest)
        #expect(request["content-type"] == "application/x-www-form-urlencoded")
        let text = try LogoutToken.parameter(
            ofForm: request.body, contentType: request["content-type"])
        let token = try JWS(parsing: text.reveal(), allowed: [.es256])
        let keys = try await lab.browser.send("GET", lab.url("/protocol/openid-connect/certs"))
        let logout = try LogoutToken(
            token, keys: try JWKSet(parsing: keys.body, maximumSize: 1 << 20),
            issuer: lab.issuer, clientID: "a", now: .now())
        #expect(logout.sessionID == sid)
        await lab.server.stop()
        await receiver.stop()
    }

    @Test func `a code redeemed twice costs the client its logout calls`() async throws {
        let lab = try ProviderFixture(clients: ["app": "http://127.0.0.1:1/x"])
        let page = try await lab.authorize()
        let code = try #require(try lab.callback(try await lab.logIn(page))["code"])
        #expect(try await lab.redeem(code).status == 200)
        #expect(try await lab.redeem(code).status == 400)
        await lab.provider.logOut("alice")
        #expect(lab.provider.logoutCalls.isEmpty)
        #expect(lab.provider.sessionIDs.isEmpty)
        await lab.server.stop()
    }

    @Test func `a logout token can be wrong on purpose`() async throws {
        let lab = try ProviderFixture()
        let keys = try await lab.browser.send("GET", lab.url("/protocol/openid-connect/certs"))
        let set = try JWKSet(parsing: keys.body, maximumSize: 1 << 20)
        func check(_ text: String) -> OIDCError? {
            do throws(OIDCError) {
                _ = try LogoutToken(
                    JWS(parsing: Array(text.utf8), allowed: [.es256]), keys: set,
                    issuer: lab.issuer, clientID: "app", now: .now())
                return nil
            } catch { return error }
        }
        let good = lab.provider.mintLogoutToken(client: "app", sid: "s", subject: "u")
        #expect(check(good) == nil)
        let wrong: [([String: JSONValue], String)] = [
            (["nonce": "n"], "nonce"), (["events": .null], "no events"),
            (["aud": "other"], "aud"), (["iss": "https://x"], "iss"),
            (["exp": 1], "old"), (["sid": .null, "sub": .null], "nobody"),
        ]
        for (claims, comment) in wrong {
            let token = lab.provider.mintLogoutToken(
                client: "app", sid: "s", subject: "u", claims: claims)
            #expect(check(token) != nil, "\(comment)")
        }
        let foreign = lab.provider.mintLogoutToken(
            client: "app", sid: "s", subject: "u", signer: TokenSigner(.es256, keyID: "key-1"))
        #expect(check(foreign) == .badSignature)
        await lab.server.stop()
    }
}
