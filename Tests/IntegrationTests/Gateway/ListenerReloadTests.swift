import FoundationEssentials
import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseKit
import GatehouseNet
import GatehouseTesting
import Testing

/// Listeners that come, go and change by a reload, under running connections.
struct ListenerReloadTests {
    /// A server that answers at once, and below `/slow` when it is told to.
    private func server(_ journal: Journal) throws -> RawServer {
        try RawServer { connection, loop in
            while true {
                let request = try await connection.request()
                if request.head.target().text == "/slow" {
                    journal.note("asked")
                    try await journal.wait(for: "go", within: .seconds(20), on: loop.core)
                }
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
    }

    private func port(_ url: String) throws -> UInt16 {
        try #require(url.split(separator: ":").last.flatMap { UInt16($0) })
    }

    private func get(_ path: String = "/") -> String {
        "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n"
    }

    /// A public listener at a port of this machine.
    private func listener(_ port: UInt16) -> ListenerSettings {
        ListenerSettings(address: .tcp(host: "127.0.0.1", port: port))
    }

    @Test func `one comes and one goes, and what was begun is ended`() async throws {
        let journal = Journal()
        let server = try server(journal)
        let fixture = try await MetricsFixture([
            "--default-target", "http://127.0.0.1:\(server.port)",
        ])
        let (old, new) = (try port(fixture.publicURL), LocalPort.unused())
        var configuration = fixture.configuration
        configuration.listeners[0] = listener(new)
        let changed = configuration
        try await EventLoop(name: "client").attempt { loop in
            let idle = try await RawConnection.connect(port: old, on: loop)
            let busy = try await RawConnection.connect(port: old, on: loop)
            try await idle.send(self.get())
            #expect(try await idle.response().text == "ok")
            try await busy.send(self.get("/slow"))
            try await journal.wait(for: "asked", on: loop.core)
            try await fixture.gateway.reload(changed)
            #expect(await !idle.waitForEnd())
            await #expect(throws: StreamError.refused) {
                _ = try await RawConnection.connect(port: old, on: loop)
            }
            let fresh = try await RawConnection.connect(port: new, on: loop)
            try await fresh.send(self.get())
            #expect(try await fresh.response().text == "ok")
            try await fixture.scrape(until: [#"gatehouse_connections{role="public"}"#: 2])
            journal.note("go")
            #expect(try await busy.response().text == "ok")
            #expect(await !busy.waitForEnd())
            try await fixture.scrape(until: [#"gatehouse_connections{role="public"}"#: 1])
        }
        #expect(try await fixture.api("GET", "/api/routes") == 200)
        await fixture.gateway.stop()
        server.stop()
    }

    @Test func `an address that is taken changes nothing`() async throws {
        let server = try server(Journal())
        let fixture = try await MetricsFixture([
            "--default-target", "http://127.0.0.1:\(server.port)",
        ])
        let free = LocalPort.unused()
        var configuration = fixture.configuration
        configuration.listeners += [listener(free), listener(server.port)]
        configuration.listeners.remove(at: 0)
        let error = await #expect(throws: GatewayError.self) {
            try await fixture.gateway.reload(configuration)
        }
        #expect("\(try #require(error))".contains("127.0.0.1:\(server.port)"))
        #expect(!LocalPort.isTaken(free))
        #expect(try await fixture.get("/") == 200)
        await fixture.gateway.stop()
        server.stop()
    }

    @Test func `a token that has changed is asked of open connections too`() async throws {
        let fixture = try await MetricsFixture()
        var configuration = fixture.configuration
        configuration.listeners[1].token = Secret("another")
        let changed = configuration
        let client = TestClient()
        func ask(_ token: String) async throws -> Int {
            let fields = [("Authorization", "token \(token)")]
            return try await client.send("GET", fixture.apiURL + "/api/routes", fields: fields)
                .status
        }
        #expect(try await ask("secret") == 200)
        try await EventLoop(name: "client").attempt { loop in
            let open = try await RawConnection.connect(
                port: try self.port(fixture.apiURL), on: loop)
            let request =
                "GET /api/routes HTTP/1.1\r\nHost: a\r\nAuthorization: token secret\r\n\r\n"
            try await open.send(request)
            #expect(try await open.response().status == 200)
            try await fixture.gateway.reload(changed)
            #expect(await !open.waitForEnd())
        }
        #expect(try await ask("secret") == 403)
        #expect(try await ask("another") == 200)
        await fixture.gateway.stop()
    }

    @Test func `a listener begins to redirect, and its sockets stay`() async throws {
        let server = try server(Journal())
        let fixture = try await MetricsFixture([
            "--default-target", "http://127.0.0.1:\(server.port)",
        ])
        #expect(try await fixture.get("/") == 200)
        var configuration = fixture.configuration
        configuration.listeners[0].redirect = HTTPSRedirect(status: 301, port: 444)
        try await fixture.gateway.reload(configuration)
        #expect(try await fixture.client.send("GET", fixture.publicURL + "/x").status == 301)
        try await fixture.gateway.reload(fixture.configuration)
        #expect(try await fixture.get("/") == 200)
        await fixture.gateway.stop()
        server.stop()
    }

    @Test func `the file of a UNIX socket goes with its listener`() async throws {
        let path = "/tmp/gatehouse-test-\(LocalPort.unused()).sock"
        let fixture = try await MetricsFixture()
        var configuration = fixture.configuration
        configuration.listeners.append(ListenerSettings(address: .unix(path: path)))
        try await fixture.gateway.reload(configuration)
        #expect(FileManager.default.fileExists(atPath: path))
        try await fixture.gateway.reload(configuration)
        #expect(FileManager.default.fileExists(atPath: path), "the same configuration again")
        try await fixture.gateway.reload(fixture.configuration)
        #expect(!FileManager.default.fileExists(atPath: path))
        await fixture.gateway.stop()
    }

    @Test func `reloads that meet follow each other`() async throws {
        let fixture = try await MetricsFixture(loops: 1)
        let ports = (0..<6).map { _ in LocalPort.unused() }
        var configurations = [fixture.configuration]
        for port in ports {
            var configuration = fixture.configuration
            configuration.listeners.append(listener(port))
            configurations.append(configuration)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for configuration in configurations.shuffled() {
                group.addTask { try await fixture.gateway.reload(configuration) }
            }
            try await group.waitForAll()
        }
        try await fixture.gateway.reload(fixture.configuration)
        #expect(ports.allSatisfy { !LocalPort.isTaken($0) })
        #expect(try await fixture.api("GET", "/api/routes") == 200)
        await fixture.gateway.stop()
    }

    @Test func `renewed certificates towards servers are taken up, of routes of the API too`()
        async throws
    {
        let (first, second) = (TestCertificate(), TestCertificate())
        let server = try RawServer(tls: try second.server()) { connection, _ in
            _ = try await connection.request()
            try await connection.send(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        }
        let trusted = first.directory + "/trusted.pem"
        defer { TextFile.remove(trusted) }
        try TextFile.write(try TextFile.read(first.file), to: trusted)
        let fixture = try await MetricsFixture(["--client-ssl-ca", trusted])
        let body = #"{"target":"https://localhost:\#(server.port)"}"#
        #expect(try await fixture.api("POST", "/api/routes/user/a", body) == 201)
        #expect(try await fixture.get("/user/a/x") == 503)
        try TextFile.write(try TextFile.read(second.file), to: trusted)
        await fixture.gateway.reloadCertificates()
        #expect(try await fixture.get("/user/a/x") == 200)
        try TextFile.write("nothing", to: trusted)
        await fixture.gateway.reloadCertificates()
        #expect(try await fixture.get("/user/a/x") == 200, "the old ones stay")
        await fixture.gateway.stop()
        server.stop()
    }

    @Test func `what only a restart takes up is an error, and the rest is not taken up either`()
        async throws
    {
        let fixture = try await MetricsFixture()
        var configuration = fixture.configuration
        configuration.loops = .count(7)
        configuration.stateDirectory = .path("/elsewhere")
        configuration.listeners.append(listener(LocalPort.unused()))
        let error = await #expect(throws: GatewayError.self) {
            try await fixture.gateway.reload(configuration)
        }
        let text = "\(try #require(error))"
        #expect(text.contains("'state_dir', 'loops'") && text.contains("restart"))
        guard case .tcp(_, let port)? = configuration.listeners.last?.address else { return }
        #expect(!LocalPort.isTaken(port))
        await fixture.gateway.stop()
    }
}
