import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Synchronization
import Testing

/// The token lane while routes and rules change, and where several Hubs are.
struct TokenReloadTests {
    private static let token = [("Authorization", "token alices")]

    private func settings(
        hub: UInt16, server: UInt16, access: [String] = []
    ) -> GatewaySettings {
        GatewaySettings(
            routes: [
                "{path: /hub, upstream: \"http://127.0.0.1:\(hub)\", preset: jupyterhub}",
                "{path: /user, upstream: \"http://127.0.0.1:\(server)\", preset: jupyterhub}",
                "{path: /open, upstream: \"http://127.0.0.1:\(server)\", preset: none}",
            ], access: access)
    }

    private func hub(_ script: @escaping FakeUpstream.Script) -> FakeUpstream {
        let hub = FakeUpstream()
        hub.on(HubFixture.api, script)
        return hub
    }

    /// Answers every request, and echoes what comes over a WebSocket.
    private func echo() throws -> RawServer {
        try RawServer { connection, _ in
            while true {
                let request = ReceivedRequest(try await connection.request().head)
                guard let key = request["sec-websocket-key"] else {
                    try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    continue
                }
                try await connection.send(WebSocketServer.acceptance(of: key) + "\r\n")
                while let frame = try await connection.read() {
                    // Unmasked: the mask of these tests is zero.
                    try await connection.send([frame[0], frame[1] & 0x7F] + frame.dropFirst(6))
                }
                return
            }
        }
    }

    // SECURITY-CASES G08.
    @Test func `a request that waits for JupyterHub's word goes by the routes of afterwards`()
        async throws
    {
        let journal = Journal()
        let isHeld = Locked(true)
        let hub = hub { exchange in
            journal.note("asked")
            while isHeld.withLock({ $0 }) {
                await EventLoop.sleep(.milliseconds(5), on: exchange.core)
            }
            await exchange.send(HubFixture.answer(to: exchange.request))
        }
        let (one, two) = (FakeUpstream(), FakeUpstream())
        let servers = [
            try LocalServer.start { _ in hub }, try LocalServer.start { _ in one },
            try LocalServer.start { _ in two },
        ]
        let gateway = try await TestGateway(
            settings: settings(hub: servers[0].port, server: servers[1].port)
        ) { _ in FakeUpstream() }
        try await EventLoop(name: "script").attempt { loop in
            let script = try await gateway.connect(on: loop)
            try await script.send(gateway.request("GET", "/user/alice/x", fields: Self.token))
            try await journal.wait(for: "asked", on: loop.core)
            try await gateway.reload(
                settings(hub: servers[0].port, server: servers[2].port))
            isHeld.withLock { $0 = false }
            #expect(try await script.response().status == 200)
        }
        #expect(one.requests.isEmpty)
        #expect(two.requests.map(\.path) == ["/user/alice/x"])
        // Other settings may have another Hub.
        #expect(hub.count(HubFixture.api) == 2)
        await gateway.stop()
        for server in servers { await server.stop() }
    }

    // SECURITY-CASES G08.
    @Test func `what a token has opened ends with the rule that let it in, and not before`()
        async throws
    {
        let hub = hub { await $0.send(HubFixture.answer(to: $0.request)) }
        let hubServer = try LocalServer.start { _ in hub }
        let server = try echo()
        @Sendable func rules(_ user: String, _ open: String) -> GatewaySettings {
            settings(
                hub: hubServer.port, server: server.port,
                access: [
                    "{path: /user/**, allow: \(user)}", "{path: /open/**, allow: \(open)}",
                ])
        }
        let gateway = try await TestGateway(settings: rules("signed_in", "public")) { _ in
            FakeUpstream()
        }
        try await EventLoop(name: "script").attempt { loop in
            let tunnel = try await WebSocketClient(
                over: try await gateway.connect(on: loop), target: "/user/alice/channels",
                authority: gateway.authority, fields: Self.token)
            // Anybody's, over a connection on which a token has come before.
            let connection = try await gateway.connect(on: loop)
            try await connection.send(
                gateway.request("GET", "/user/alice/x", fields: Self.token))
            #expect(try await connection.response().status == 200)
            let open = try await WebSocketClient(
                over: connection, target: "/open/x", authority: gateway.authority)
            let ping = WebSocketFrame(text: "ping").encoded(mask: [0, 0, 0, 0])
            try await gateway.reload(rules("{path_user: 2}", "public"))
            for socket in [tunnel, open] {
                try await socket.connection.send(ping)
                #expect(try await socket.receive()?.text == "ping")
            }
            // Who bears no token is not signed in.
            try await gateway.reload(rules("{path_user: 2}", "signed_in"))
            try? await open.connection.send(ping)
            #expect(try await open.receive()?.closeCode == 1008)
            try await tunnel.connection.send(ping)
            #expect(try await tunnel.receive()?.text == "ping")
            try await gateway.reload(rules("{group: /staff}", "signed_in"))
            try? await tunnel.connection.send(ping)
            #expect(try await tunnel.receive()?.closeCode == 1008)
        }
        await gateway.stop()
        await hubServer.stop()
        server.stop()
    }

    // SECURITY-CASES G07.
    @Test func `of two Hubs that of the host is asked`() async throws {
        let other = hub { await $0.send(HubFixture.answer(to: $0.request)) }
        let server = try LocalServer.start { _ in other }
        let lab = try await HubFixture(configure: { configuration in
            guard let first = configuration.publicURLs.first else { return }
            configuration.publicURLs.append(
                Origin(scheme: .https, host: "other.localhost", port: first.port))
            let url = Origin(scheme: .http, host: "127.0.0.1", port: server.port)
            var route = RouteSettings(
                host: "other.localhost", path: "/",
                upstream: UpstreamSettings(name: "\(url)", url: url))
            route.preset = .jupyterhub
            configuration.routes.append(route)
        })
        try await EventLoop(name: "script").attempt { loop in
            let script = try await lab.gateway.connect(on: loop)
            try await script.send(
                "GET /hub/home HTTP/1.1\r\nHost: other.localhost:\(lab.gateway.port)\r\n"
                    + "Authorization: token alices\r\n\r\n")
            #expect(try await script.response().status == 200)
        }
        #expect(other.requests.map(\.path) == [HubFixture.api, "/hub/home"])
        #expect(lab.hub.requests.isEmpty)
        #expect(try await lab.get("/hub/home", token: "alices").status == 200)
        #expect(lab.hub.requests.map(\.path) == [HubFixture.api, "/hub/home"])
        #expect(other.count() == 2)
        await lab.stop()
        await server.stop()
    }
}
