import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import GatehouseTesting
import Testing

/// A listener that sends everybody to https: to the right place, and whoever asks for it.
struct RedirectListenerTests {
    private static let challenge = "/.well-known/acme-challenge/"

    /// A plain listener, and a route for challenges.
    private func redirect(_ configuration: inout Configuration, port: UInt16) {
        var listener = ListenerSettings(address: .tcp(host: "127.0.0.1", port: port))
        listener.redirect = HTTPSRedirect()
        configuration.listeners.append(listener)
        for var route in configuration.routes where route.path == "/" {
            route.path = RedirectListenerTests.challenge
            configuration.routes.append(route)
        }
    }

    @Test func `with sign-in nobody is sent elsewhere, and what is no navigation is told`()
        async throws
    {
        let upstream = FakeUpstream()
        let plain = LocalPort.unused()
        let gateway = try await TestGateway(
            settings: GatewaySettings(
                access: ["{path: \"/.well-known/acme-challenge/**\", allow: public}"]),
            configure: { redirect(&$0, port: plain) }, upstream: { _ in upstream })
        let browser = TestClient()
        let url = "http://127.0.0.1:\(plain)"
        func ask(
            _ path: String, host: String, _ fields: [(String, String)] = [], method: String = "GET"
        ) async throws -> WireResponse {
            try await browser.send(method, url + path, fields: [("Host", host)] + fields)
        }
        let sent = try await ask("/x?y", host: "localhost", TestClient.navigation)
        #expect(sent.status == 307)
        #expect(sent["location"] == gateway.publicURL + "/x?y")
        #expect(sent["cache-control"] == "no-store")
        let foreign = try await ask(
            "/x", host: "evil.example", TestClient.navigation)
        #expect(foreign.status == 421)
        #expect(foreign["location"] == nil)
        #expect(try await ask("/x", host: "localhost", method: "POST").status == 421)
        #expect(try await ask("/_chp_healthz", host: "evil.example").status == 200)
        #expect(upstream.count() == 0)
        let challenge = try await ask(
            RedirectListenerTests.challenge + "token", host: "localhost")
        #expect(challenge.text == "hello from \(RedirectListenerTests.challenge)token")
        let other = try await ask("/.well-known/acme-challengex", host: "localhost")
        #expect(other.status == 421)
        #expect(upstream.count() == 1)
        await gateway.stop()
    }

    @Test func `without sign-in public URLs are the only ones, where there are some`() async throws
    {
        let upstream = FakeUpstream()
        let server = try LocalServer.start { _ in upstream }
        let plain = LocalPort.unused()
        let origin = try Origin(parsing: "https://hub.example:8443")
        let proxy = try await ProxyFixture(configure: { configuration in
            var listener = ListenerSettings(address: .tcp(host: "127.0.0.1", port: plain))
            listener.redirect = HTTPSRedirect()
            configuration.listeners.append(listener)
            configuration.publicURLs = [origin]
        })
        try await proxy.add("/", to: server.port)
        func ask(_ path: String, _ host: String) async throws -> WireResponse {
            try await proxy.client.send(
                "GET", "http://127.0.0.1:\(plain)\(path)", fields: [("Host", host)])
        }
        for host in ["hub.example", "HUB.example.:80"] {
            #expect(try await ask("/x", host)["location"] == "https://hub.example:8443/x")
        }
        #expect(try await ask("/x", "evil.example").status == 421)
        // `/` covers it, but nobody has made a route for challenges.
        let path = RedirectListenerTests.challenge + "token"
        #expect(try await ask(path, "hub.example").status == 307)
        #expect(upstream.count() == 0)
        try await proxy.add(RedirectListenerTests.challenge, to: server.port)
        #expect(try await ask(path, "hub.example").text == "hello from \(path)")
        await proxy.stop()
    }
}
