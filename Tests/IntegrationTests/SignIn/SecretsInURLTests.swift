import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseTesting
import Testing

/// One-time tokens, codes and states of ours stand in URLs for the browser, and for nobody else.
@Suite struct SecretsInURLTests {
    private let hub = FakeUpstream()
    /// Gives the error pages.
    private let pages = FakeUpstream()
    private let lines = Journal()

    private static let script = [
        ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty"),
    ]

    /// A gateway with a routes API, whose error pages come from a server.
    private func gateway(pages port: UInt16, api: UInt16) async throws -> TestGateway {
        let (hub, lines) = (hub, lines)
        let log = Log(label: "test", level: .debug) { event in
            let fields = event.fields.map { "\($0.name)=\($0.value)" }
            lines.note("\(event.message) \(fields)")
        }
        return try await TestGateway(
            configure: { configuration in
                for index in configuration.routes.indices
                where configuration.routes[index].path == "/" {
                    configuration.routes[index].preset = .jupyterhub
                }
                configuration.routesAPI.preset = .jupyterhub
                configuration.forwarding.errorPages.target = "http://127.0.0.1:\(port)/pages"
                configuration.listeners.append(
                    ListenerSettings(address: .tcp(host: "127.0.0.1", port: api), role: .api))
            }, log: log,
            accessSink: { bytes in
                lines.note(String(decoding: bytes, as: UTF8.self))
            }, upstream: { _ in hub })
    }

    /// Where no one but the browser looks.
    private func seen() -> [String] {
        let requests = hub.requests + pages.requests
        return requests.map { "\($0.target) \($0["referer"] ?? "")" } + lines.events
    }

    /// What is ours in any reading goes to nobody.
    private func showSecrets(_ browser: TestClient, _ url: String, _ token: String) async throws {
        for path in [
            "/.gatehouse/callback", "/.gatehouse%2Fcallback", "/%2egatehouse/callback",
            "/x%2f..%2f.gatehouse/callback", "/.gatehouse/callback/", "/.gatehouse/logged-out",
            "/.gatehouse/nothing", "/.gatehouse/session", "/.gatehouse/healthz",
        ] {
            for method in ["GET", "POST"] {
                let answer = try await browser.send(
                    method, url + path + "?code=c0de-1&state=st4te-1&token=\(token)",
                    fields: method == "POST" ? SecretsInURLTests.script : [])
                #expect((200..<500).contains(answer.status), "\(method) \(path)")
            }
        }
    }

    @Test func `error pages, upstreams and logs are told no secret of ours`() async throws {
        let pages = pages
        let server = try LocalServer.start { _ in pages }
        let api = LocalPort.unused()
        let gateway = try await gateway(pages: server.port, api: api)
        let url = gateway.publicURL
        let alice = try await gateway.browser(of: "alice")
        let question = try await alice.send(
            "GET", url + "/hub/logout", fields: [("Accept", "text/html")])
        let start = try #require(question.text.firstRange(of: "gatehouse_logout="))
        let token = String(question.text[start.upperBound...].prefix { $0 != "\"" })
        #expect(token.count > 40)

        // The Hub has told a route for itself that leads nowhere.
        let made = try await TestClient().send(
            "POST", "http://127.0.0.1:\(api)/api/routes/hub",
            body: Array(#"{"target":"nonsense"}"#.utf8))
        #expect(made.status == 201)
        let plain = try await alice.send("GET", url + "/hub/home?q=1")
        #expect(plain.status == 500)
        #expect(pages.lastRequest?.target == "/pages/500?url=%2Fhub%2Fhome%3Fq%3D1")
        let put = try await alice.send(
            "PUT", url + "/hub/logout?a=1&gatehouse_logout=\(token)",
            fields: SecretsInURLTests.script + [("Origin", url)])
        #expect(put.status == 500)
        #expect(pages.lastRequest?.target == "/pages/500?url=%2Fhub%2Flogout%3Fa%3D1")
        let elsewhere = try await alice.send("GET", url + "/x?gatehouse_logout=\(token)")
        #expect(elsewhere.text == "hello from /x")
        #expect(hub.lastRequest?.target == "/x")

        let count = (hub.count(), pages.count())
        try await showSecrets(alice, url, token)
        #expect(hub.count() == count.0 && pages.count() == count.1)

        // The token is as good as it was: the log out is whole, although the Hub cannot be asked.
        let pressed = try await alice.send(
            "GET", url + "/hub/logout?gatehouse_logout=\(token)",
            fields: [("Accept", "text/html")])
        #expect(pressed.status == 303)
        let location = try #require(pressed["location"])
        #expect(location.hasPrefix("/.gatehouse/logout?token="))
        let end = try await alice.send("GET", url + location, fields: [("Accept", "text/html")])
        #expect(end.status == 302)
        #expect(try await alice.send("GET", url + "/x").status == 401)
        #expect(hub.count() == count.0 && pages.count() == count.1)

        let secrets = [
            token, "c0de-1", "st4te-1", String(location.drop { $0 != "=" }.dropFirst()),
            "code=", "state=",
        ]
        let seen = seen()
        #expect(seen.contains { $0.contains("/hub/logout") })
        #expect(seen.contains { $0.contains("/.gatehouse/callback") })
        for secret in secrets {
            let leaks = seen.filter { $0.contains(secret) }
            #expect(leaks.isEmpty, "\(secret)")
        }
        await gateway.stop()
        await server.stop()
    }
}
