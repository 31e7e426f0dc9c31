import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import GatehouseTesting
import Testing

/// Who is told by `identity.headers` who is signed in, where JupyterHub tells the routes: the Hub.
/// What the API adds elsewhere is users' servers and services, whose code could pass it on.
struct IdentityByRouteTests {
    /// What a client claims, in the spellings that backends take for the names in use.
    private static let forged = [
        ("X-Auth-User", "forged"), ("x_auth_user", "forged"), ("X-AUTH.USER", "forged"),
        ("X_Auth-Groups", "forged"), ("X-Route-User", "forged"), ("x_route_user", "forged"),
        ("X-Kept", "kept"),
    ]

    private static let upgrade = [
        ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]

    /// A Hub behind the route that it adds for itself, and its users' servers.
    private struct Lab {
        let gateway: TestGateway
        let settings: GatewaySettings
        let configure: @Sendable (inout Configuration) -> Void
        let apiPort: UInt16
        let hub = FakeUpstream()
        let server = FakeUpstream()
        let servers: [LocalServer]

        init(base: String, isUserRouteWritten: Bool) async throws {
            let (hub, server) = (hub, server)
            servers = [
                try LocalServer.start { _ in hub }, try LocalServer.start { _ in server },
            ]
            let port = servers[1].port
            settings = GatewaySettings(
                routes: isUserRouteWritten
                    ? ["{path: \(base)/user, upstream: \"http://127.0.0.1:\(port)\"}"] : [],
                more: ["jupyterhub: {base_url: \(base)/}"])
            let apiPort = LocalPort.unused()
            self.apiPort = apiPort
            configure = { configuration in
                for index in configuration.routes.indices
                where ["/", "\(base)/user"].contains(configuration.routes[index].path) {
                    configuration.routes[index].preset = .jupyterhub
                    // `check` refuses it where it means nothing.
                    configuration.routes[index].identityHeaders = [
                        "X-Route-User": "preferred_username"
                    ]
                }
                // The Hub has said all there is.
                configuration.routesAPI.userPrefixes = []
                configuration.listeners.append(
                    ListenerSettings(address: .tcp(host: "127.0.0.1", port: apiPort), role: .api))
            }
            gateway = try await TestGateway(settings: settings, configure: configure) { _ in
                FakeUpstream()
            }
            try await add("\(base)/", to: servers[0], #","hub":true"#)
            try await add("\(base)/user/alice/", to: servers[1])
            try await add("\(base)/services/x/", to: servers[1])
        }

        private func add(_ path: String, to target: LocalServer, _ more: String = "") async throws {
            let body =
                #"{"target":"http://127.0.0.1:\#(target.port)","jupyterhub":true\#(more)}"#
            let answer = try await TestClient().send(
                "POST", "http://127.0.0.1:\(apiPort)/api/routes\(path)", body: Array(body.utf8))
            #expect(answer.status == 201)
        }

        func stop() async {
            await gateway.stop()
            for server in servers { await server.stop() }
        }
    }

    /// Asks with forged fields, as a page and as a WebSocket.
    /// - Returns: what came to the upstream.
    private func ask(
        _ path: String, _ browser: TestClient, of lab: Lab, at upstream: FakeUpstream
    ) async throws -> [ReceivedRequest] {
        upstream.forget()
        for more in [[], Self.upgrade + [("Origin", lab.gateway.publicURL)]] {
            let answer = try await browser.send(
                "GET", lab.gateway.publicURL + path, fields: Self.forged + more)
            // An upstream that opens no WebSocket is asked all the same.
            #expect(answer.status == 200, "\(path)")
        }
        let requests = upstream.requests
        #expect(requests.map(\.path) == [path, path])
        for request in requests {
            #expect(!request.fields.contains { $0.value == "forged" }, "\(path)")
            #expect(request["x-kept"] == "kept", "\(path)")
        }
        return requests
    }

    private func expectTold(
        _ path: String, _ browser: TestClient, of lab: Lab
    ) async throws {
        for request in try await ask(path, browser, of: lab, at: lab.hub) {
            #expect(request.all("x-auth-user") == ["alice"], "\(path)")
            #expect(request.all("x-route-user") == ["alice"], "\(path)")
        }
    }

    private func expectUntold(
        _ path: String, _ browser: TestClient, of lab: Lab
    ) async throws {
        for request in try await ask(path, browser, of: lab, at: lab.server) {
            for (name, _) in request.fields {
                let plain = name.lowercased().replacing("_", with: "-").replacing(".", with: "-")
                #expect(!plain.hasPrefix("x-auth-"), "\(name) at \(path)")
                #expect(!plain.hasPrefix("x-route-"), "\(name) at \(path)")
            }
        }
    }

    // SECURITY-CASES H01.
    @Test(arguments: ["", "/jupyter"], [false, true])
    func `the Hub is told who is signed in, a route below user or services never is`(
        base: String, isUserRouteWritten: Bool
    ) async throws {
        let lab = try await Lab(base: base, isUserRouteWritten: isUserRouteWritten)
        let alice = try await lab.gateway.browser(of: "alice")
        let bob = try await lab.gateway.browser(of: "bob")
        for isReloaded in [false, true] {
            if isReloaded {
                try await lab.gateway.reload(lab.settings, configure: lab.configure)
            }
            try await expectTold("\(base)/hub/home", alice, of: lab)
            try await expectUntold("\(base)/user/alice/x", alice, of: lab)
            try await expectUntold("\(base)/services/x/y", alice, of: lab)
            // No route of the API's is there; the one that was written is no less a user's.
            guard isUserRouteWritten else { continue }
            try await expectUntold("\(base)/user/bob/x", bob, of: lab)
        }
        await lab.stop()
    }
}
