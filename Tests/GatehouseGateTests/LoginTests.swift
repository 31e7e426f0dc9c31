import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct LoginTests {
    @Test func `a navigation is sent to the provider and comes back signed in`() async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/lab?x=1")
        #expect(start.status == 302)
        #expect(start.field("cache-control") == "no-store")
        let location = try #require(start.location)
        #expect(location.hasPrefix(FakeProvider.issuer + "/auth?"))
        // SECURITY-CASES C31, C32.
        #expect(location.contains("redirect_uri=https%3A%2F%2Fhub.example%2F.gatehouse%2Fcallback"))
        #expect(location.contains("code_challenge_method=S256"))
        #expect(browser.transactions().count == 1)
        let callback = try #require(world.fake.authorize(location, as: World.alice))
        let end = try await browser.navigate(callback)
        #expect(end.status == 302)
        #expect(end.location == World.hub + "/lab?x=1")
        #expect(browser.transactions().isEmpty)
        let page = try await browser.navigate(World.hub + "/lab?x=1")
        #expect(page.passage?.session?.username == "alice")
        #expect(world.log.contains("login user=alice host=hub.example peer=192.0.2.1"))
    }

    // SECURITY-CASES C30.
    @Test func `nothing of the client's query reaches the authorization request`() async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(
            World.hub + "/.gatehouse/login?rd=%2Fa&scope=offline_access&prompt=none&acr_values=0")
        let location = try #require(start.location)
        #expect(!location.contains("offline_access"))
        #expect(!location.contains("prompt"))
        #expect(!location.contains("acr_values"))
    }

    // SECURITY-CASES C01, C36, C37.
    @Test(arguments: [
        "", "?", "?&", "?=", "?state=", "?code=x", "?state=x&code=y", "?state=%ff&code=y",
        "?iss=&state=&code=",
    ])
    func `a callback without a state of ours asks nobody`(query: String) async throws {
        let world = try World()
        var browser = Browser(world)
        let answer = try await browser.navigate(World.hub + "/.gatehouse/callback" + query)
        #expect(answer.status == 400)
        #expect(world.fake.requests.isEmpty)
        #expect(world.gate.store.count == 0)
    }

    // SECURITY-CASES C02.
    @Test func `a callback of another browser redeems nothing`() async throws {
        let world = try World()
        var attacker = Browser(world)
        let start = try await attacker.navigate(World.hub + "/mine")
        let callback = try world.fake.callback(start, as: World.bob)
        var victim = Browser(world)
        let first = try await victim.navigate(callback)
        #expect(first.status == 302)
        #expect(first.location?.hasPrefix(FakeProvider.issuer + "/auth?") == true)
        #expect(world.fake.count(of: "/token") == 0)
        // A browser that has a session goes on with it.
        var signedIn = Browser(world)
        try await signedIn.signIn(at: World.hub + "/", as: World.alice)
        let answer = try await signedIn.navigate(callback)
        #expect(answer.location == World.hub + "/mine")
        #expect(world.fake.count(of: "/token") == 1)
    }

    // SECURITY-CASES C03.
    @Test func `the back button after a login goes to the target and redeems nothing`()
        async throws
    {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/lab")
        let authorization = try #require(start.location)
        let callback = try #require(world.fake.authorize(authorization, as: World.alice))
        _ = try await browser.navigate(callback)
        #expect(try await browser.navigate(callback).location == World.hub + "/lab")
        // The used state with a new code, as Keycloak does it.
        let again = try #require(world.fake.authorize(authorization, as: World.alice))
        #expect(try await browser.navigate(again).location == World.hub + "/lab")
        #expect(world.fake.count(of: "/token") == 1)
    }

    // SECURITY-CASES C04.
    @Test func `ten tabs end in any order, each at its target, in one record`() async throws {
        let world = try World(limits: limits { $0.loginAttempts = 10 })
        var browser = Browser(world)
        var callbacks: [(String, String)] = []
        for tab in 0..<10 {
            let start = try await browser.navigate(World.hub + "/tab/\(tab)")
            callbacks.append(
                (
                    "/tab/\(tab)",
                    try world.fake.callback(start, as: World.alice)
                ))
        }
        for (target, callback) in callbacks.reversed() {
            #expect(try await browser.navigate(callback).location == World.hub + target)
        }
        #expect(world.gate.store.count == 1)
        #expect(world.ended.isEmpty)
        #expect(try await browser.navigate(World.hub + "/x").passage != nil)
    }

    // SECURITY-CASES C05.
    @Test func `forty logins leave eight cookies, the oldest are dropped`() async throws {
        let world = try World()
        var browser = Browser(world)
        var names: [String] = []
        for tab in 0..<40 {
            _ = try await browser.navigate(World.hub + "/tab/\(tab)")
            world.clock.advance(by: .seconds(1))
            names.append(try #require(browser.transactions().last))
        }
        #expect(browser.transactions() == Array(names.suffix(8)))
    }

    // SECURITY-CASES C06.
    @Test func `doubled parameters are refused`() async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/")
        let callback = try world.fake.callback(start, as: World.alice)
        #expect(try await browser.navigate(callback + "&code=other").status == 400)
        #expect(try await browser.navigate(callback + "&state=other").status == 400)
        #expect(
            try await browser.send("POST", callback, Browser.navigation, body: "code=x").status
                == 405)
        #expect(world.fake.count(of: "/token") == 0)
        #expect(try await browser.navigate(callback).location == World.hub + "/")
    }

    // SECURITY-CASES C07.
    @Test func `a refusal of the provider is a page and no loop`() async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/")
        let state = try state(of: start.location)
        let answer = try await browser.navigate(
            World.hub + "/.gatehouse/callback?"
                + FormFields.encode([
                    ("error", "access_denied"), ("error_description", "<script>alert(1)</script>"),
                    ("state", state), ("iss", FakeProvider.issuer),
                ]))
        #expect(answer.status == 403)
        guard case .loginFailed(.refused(let code, _), _)? = answer.page else {
            Issue.record("not the page of a refusal")
            return
        }
        #expect(code == "access_denied")
        #expect(browser.transactions().isEmpty)
    }

    @Test func `a form sent twice goes on with the session or starts again`() async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/a")
        let callback =
            World.hub + "/.gatehouse/callback?"
            + FormFields.encode([
                ("error", "temporarily_unavailable"),
                ("error_description", "authentication_expired"),
                ("state", try state(of: start.location)),
                ("iss", FakeProvider.issuer),
            ])
        let again = try await browser.navigate(callback)
        #expect(again.location?.hasPrefix(FakeProvider.issuer) == true)
        try await browser.signIn(at: World.hub + "/b", as: World.alice)
        #expect(try await browser.navigate(callback).location == World.hub + "/a")
    }

    // SECURITY-CASES C08.
    @Test(arguments: [nil, "https://sso.example/realms/other", "https://sso.example/realms/lab/"])
    func `another issuer or none is refused`(issuer: String?) async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/")
        var fields = [("state", try state(of: start.location)), ("code", "code-1")]
        if let issuer { fields.append(("iss", issuer)) }
        let answer = try await browser.navigate(
            World.hub + "/.gatehouse/callback?" + FormFields.encode(fields))
        #expect(answer.status == 400)
        #expect(world.fake.count(of: "/token") == 0)
    }

    // SECURITY-CASES C09, C35.
    @Test(arguments: [
        (302, "text/html", ""), (200, "text/html", "<html>"), (200, "application/json", "[]"),
        (200, "application/json", #"{"error":"x"}"#),
        (
            200, "application/json",
            #"{"access_token":"a","id_token":"b"}"#
        ),
        (
            200, "application/json",
            #"{"token_type":"DPoP","access_token":"a","id_token":"b"}"#
        ),
    ])
    func `a strange token response is no login`(status: Int, type: String, body: String)
        async throws
    {
        let world = try World()
        world.fake.failTokens(
            answer: BackChannelResponse(
                status: status, contentType: type, body: Array(body.utf8)))
        var browser = Browser(world)
        let answer = try await browser.signIn(at: World.hub + "/", as: World.alice)
        #expect(answer.status == 502 || answer.status == 503)
        #expect(browser.session() == nil)
        world.fake.failTokens()
        #expect(
            try await browser.signIn(at: World.hub + "/", as: World.alice).location
                == World.hub + "/")
    }

    @Test func `a code is never redeemed twice, also after an unclear failure`() async throws {
        let world = try World()
        var browser = Browser(world)
        let start = try await browser.navigate(World.hub + "/")
        let callback = try world.fake.callback(start, as: World.alice)
        world.fake.failTokens(with: .timeout)
        let kept = browser
        let answer = try await browser.navigate(callback)
        #expect(answer.status == 503)
        #expect(browser.transactions().isEmpty)
        world.fake.failTokens()
        // The same callback again, with the cookie that the answer should have removed.
        browser = kept
        let again = try await browser.navigate(callback)
        #expect(again.location?.hasPrefix(FakeProvider.issuer + "/auth?") == true)
        #expect(world.fake.count(of: "/token") == 1)
    }

    // SECURITY-CASES C10, C14, C15, C16, C18, C20: each claim by itself in the tests of OIDC.
    @Test(arguments: [
        ("nonce", JSONValue.string("other")), ("iss", "https://sso.example/realms/lab/"),
        ("aud", "other"), ("exp", 1), ("sub", ""), ("typ", "Bearer"), ("azp", "other"),
    ])
    func `a wrong ID token is no login`(claim: String, value: JSONValue) async throws {
        let world = try World()
        world.fake.alterClaims { $0[claim] = value }
        var browser = Browser(world)
        let answer = try await browser.signIn(at: World.hub + "/", as: World.alice)
        #expect(answer.status == 502)
        #expect(browser.session() == nil)
        #expect(browser.transactions().isEmpty)
    }

    // SECURITY-CASES C22.
    @Test(arguments: ["../admin", "a/b", "a%2fb", "..", "a\\b", "a;b"])
    func `a user name that can be read in two ways does not get in`(name: String) async throws {
        let world = try World()
        var person = World.alice
        person.username = name
        var browser = Browser(world)
        #expect(try await browser.signIn(at: World.hub + "/", as: person).status == 403)
        #expect(world.gate.store.count == 0)
    }
}

/// The state parameter of a redirect to the provider.
func state(of url: String?) throws -> String {
    let query = try #require(url?.split(separator: "?", maxSplits: 1).last)
    return try #require(FormFields(parsing: Array(query.utf8))?["state"])
}

/// Can keep nothing.
struct BrokenRecords: SessionRecords {
    struct Full: Error {}

    func commit(_ session: Session) async throws { throw Full() }
    func end(_ sessions: [Session]) async throws {}
}

extension Browser {
    /// Starts a login, without keeping what it sets.
    func startOnly(_ url: String) async throws -> (location: String, cookie: String) {
        var copy = self
        let start = try await copy.navigate(url)
        return (try #require(start.location), try #require(start.cookies.last))
    }
}

func limits(_ change: (inout Limits) -> Void) -> Limits {
    var limits = Limits()
    change(&limits)
    return limits
}
