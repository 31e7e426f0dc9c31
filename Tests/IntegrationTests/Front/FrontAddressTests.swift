import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseTesting
import Testing

/// Whose address counts, behind a front that carries many clients on one connection.
struct FrontAddressTests {
    /// An open path, so that what counts is the address alone.
    private func open(
        _ profile: FrontSettings.Profile, trusted: [String] = ["127.0.0.1/32", "10.0.0.0/8"],
        path: String? = nil, configure: (inout Configuration) -> Void = { _ in }
    ) async throws -> FrontFixture {
        try await FrontFixture(profile, trusted: trusted, path: path) { configuration in
            let rule = AccessRuleSettings(
                path: RulePath(segments: [], coversRest: true), allow: .anyone)
            configuration.access.insert(rule, at: 0)
            configure(&configuration)
        }
    }

    private func https(_ fields: (String, String)...) -> [(String, String)] {
        fields + [("X-Forwarded-Proto", "https")]
    }

    private func seen(_ front: FrontFixture, _ name: String) -> [String] {
        front.upstream.requests.map { $0.all(name).joined(separator: "|") }
    }

    // SECURITY-CASES A19.
    @Test func `each request on a front's connection has its own client, whatever he adds`()
        async throws
    {
        let front = try await open(.nginx)
        let answers = try await front.send([
            https(("X-Forwarded-For", "203.0.113.7")),
            https(("X-Forwarded-For", "6.6.6.6, 203.0.113.8")),
            https(("X-Forwarded-For", "127.0.0.1, 203.0.113.8"), ("X-Real-IP", "6.6.6.6")),
            https(
                ("X-Forwarded-For", "junk,203.0.113.9, 10.0.0.2"), ("X_Forwarded_For", "6.6.6.6")),
            https(("CF-Connecting-IP", "6.6.6.6"), ("Forwarded", "for=6.6.6.6")),
            https(("X-Forwarded-For", "2001:DB8::0:1"), ("X-Forwarded-For", "10.0.0.3")),
        ])
        #expect(answers.map(\.status) == [200, 200, 200, 200, 200, 200])
        let clients = [
            "203.0.113.7", "203.0.113.8", "203.0.113.8", "203.0.113.9", "127.0.0.1", "2001:db8::1",
        ]
        #expect(seen(front, "x-forwarded-for") == clients)
        #expect(seen(front, "x-real-ip") == clients)
        #expect(
            !front.upstream.requests.contains { request in
                request.fields.contains { $0.value.contains("6.6.6.6") }
            })
        await front.stop()
        for client in clients { #expect(front.log.contains { $0.contains("client=\(client)") }) }
        #expect(!front.log.contains { $0.contains("6.6.6.6") })
    }

    @Test(arguments: [
        (FrontSettings.Profile.nginx, "X-Forwarded-For", "203.0.113.256"),
        (.nginx, "X-Forwarded-Proto", "https,http"), (.nginx, "X-Scheme", "http"),
        (.nginx, "X-Scheme", "junk"), (.nginx, "X-Forwarded-For", "unknown"),
        (.cloudflareTunnel, "CF-Connecting-IP", "203.0.113.7, 203.0.113.8"),
        (.cloudflareTunnel, "X-Forwarded-Proto", "quic"), (.forwarded, "Forwarded", "for=junk"),
    ])
    func `what a trusted front says wrongly is 400 and names the field`(
        profile: FrontSettings.Profile, name: String, value: String
    ) async throws {
        let front = try await open(profile)
        let good = https(
            ("X-Forwarded-For", "203.0.113.7"), ("CF-Connecting-IP", "203.0.113.7"),
            ("Forwarded", "for=203.0.113.7;proto=https"))
        // A scheme is wrong beside another one; an address in place of it.
        let fields = (name == "X-Scheme" ? good : good.filter { $0.0 != name }) + [(name, value)]
        let answers = try await front.send([good, fields])
        #expect(answers.map(\.status) == [200, 400])
        #expect(answers[1].text.contains(name) && answers[1]["connection"] == "close")
        #expect(front.upstream.count() == 1)
        #expect(try await front.get(good).status == 200)
        await front.stop()
        #expect(front.log.contains { $0.contains("status=400") && $0.contains("client=127.0.0.1") })
    }

    // SECURITY-CASES A19.
    @Test(arguments: FrontSettings.Profile.allCases)
    func `beside a trusted network a stranger's fields are removed and ours set`(
        profile: FrontSettings.Profile
    ) async throws {
        let front = try await open(profile, trusted: ["10.0.0.0/8"]) { $0.oidc = nil }
        let forged = https(
            ("X-Forwarded-For", "6.6.6.6"), ("X-Real-IP", "6.6.6.6"), ("X-Scheme", "https"),
            ("CF-Connecting-IP", "6.6.6.6"), ("True-Client-IP", "6.6.6.6"),
            ("Forwarded", "for=6.6.6.6;proto=https;host=evil"), ("X-Forwarded-Host", "evil"),
            ("Cf-Access-Jwt-Assertion", "6.6.6.6"), ("X-Forwarded-For", "10.0.0.1"))
        let broken = [("X-Forwarded-For", "junk"), ("X-Forwarded-Proto", "a,b")]
        let answers = try await front.send([forged, broken])
        #expect(answers.map(\.status) == [200, 200])
        let requests = front.upstream.requests
        #expect(requests.count == 2)
        for request in requests {
            #expect(request.all("x-forwarded-for") == ["127.0.0.1"])
            #expect(request.all("x-real-ip") == ["127.0.0.1"])
            #expect(request.all("x-forwarded-proto") == ["http"])
            #expect(request.all("x-scheme") == ["http"])
            #expect(request.all("x-forwarded-host") == [front.authority])
            #expect(request.all("host") == [front.authority])
            #expect(!request.fields.contains { $0.value.contains("6.6.6.6") })
        }
        await front.stop()
        #expect(front.log.contains { $0.contains("client=127.0.0.1") })
        #expect(!front.log.contains { $0.contains("6.6.6.6") })
    }

    @Test func `rates count the client and not the front`() async throws {
        let front = try await FrontFixture(.nginx) { $0.limits.logoutTokensPerPeer = 1 }
        let browser = { (address: String) in
            front.browser(self.https(("X-Forwarded-For", "6.6.6.6, \(address)")))
        }
        let target = front.url + "/.gatehouse/backchannel-logout"
        var statuses: [Int] = []
        for number in 0..<8 {
            let answer = try await browser("203.0.113.\(number)").post(
                target, [("logout_token", "x")])
            statuses.append(answer.status)
        }
        #expect(statuses.allSatisfy { $0 == 400 })
        let began = Instant.now()
        statuses = []
        for _ in 0..<20 {
            let answer = try await browser("203.0.113.99").post(target, [("logout_token", "x")])
            statuses.append(answer.status)
        }
        let seconds = Int(Instant.now().since(began).wholeSeconds)
        #expect(statuses.count { $0 == 400 } <= seconds + 2 && statuses.contains(429))
        await front.stop()
    }

    @Test func `behind a UNIX socket who connects is the front, when that is said`() async throws {
        let places = [TestFolder(), TestFolder()]
        let fields = https(("X-Forwarded-For", "6.6.6.6, 203.0.113.7"))
        let front = try await open(.nginx, trusted: [], path: places[0].path)
        #expect(try await front.send([fields, https()]).map(\.status) == [200, 200])
        #expect(seen(front, "x-forwarded-for") == ["203.0.113.7", ""])
        #expect(seen(front, "x-forwarded-proto") == ["https", "https"])
        await front.stop()
        #expect(front.log.contains { $0.contains("client=203.0.113.7") })
        #expect(front.log.contains { $0.contains("client=unix") })
        let stranger = try await open(
            .nginx, trusted: ["0.0.0.0/0", "::/0"], path: places[1].path
        ) { $0.listeners[0].front.trustsUnixSocket = false }
        let answer = try await stranger.get(fields + TestClient.navigation)
        #expect(answer.status == 400 && answer.text.contains("front.trusted"))
        #expect(stranger.upstream.count() == 0)
        await stranger.stop()
    }
}
