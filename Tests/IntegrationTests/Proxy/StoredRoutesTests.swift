import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import GatehouseTesting
import Testing

/// Routes that outlive the process, and paths of users before the Hub has spoken.
struct StoredRoutesTests {
    private let upstream = FakeUpstream()
    private let server: LocalServer

    init() throws {
        let upstream = upstream
        server = try LocalServer.start { _ in upstream }
    }

    @Test func `a user's server is reachable at once after a restart`() async throws {
        let folder = TestFolder()
        let first = try await ProxyFixture(stateDirectory: folder.path)
        try await first.add("/", to: server.port)
        try await first.add("/user/alice", to: server.port)
        try await first.add("/user/bob", to: server.port)
        #expect(try await first.api("DELETE", "/user/bob").status == 204)
        await first.stop()

        let second = try await ProxyFixture(stateDirectory: folder.path, after: first)
        #expect(try await second.get("/user/alice/lab").status == 200)
        #expect(try await second.get("/hub/").status == 200)
        let missing = try await second.get("/user/bob/api/kernels/1")
        #expect(missing.status == 503 && missing["retry-after"] == "2")
        #expect(Set(try await second.table().keys) == ["/", "/user/alice"])
        await second.stop()
        await server.stop()
    }

    @Test func `a route that nobody confirms ends`() async throws {
        let folder = TestFolder()
        let first = try await ProxyFixture(stateDirectory: folder.path)
        try await first.add("/user/alice", to: server.port)
        try await first.add("/user/bob", to: server.port)
        await first.stop()

        let second = try await ProxyFixture(stateDirectory: folder.path, after: first) {
            $0.routesAPI.storedRouteLifetime = .seconds(4)
        }
        try await second.add("/user/bob", to: server.port)
        #expect(try await second.get("/user/alice/lab").status == 200)
        let end = Instant.now() + .seconds(8)
        while try await second.get("/user/alice/lab").status == 200, Instant.now() < end {
            await EventLoop(name: "wait").run {
                await EventLoop.sleep(.milliseconds(50), on: $0.core)
            }
        }
        #expect(try await second.get("/user/alice/lab").status == 503)
        #expect(try await second.get("/user/bob/lab").status == 200, "written again")
        await second.stop()

        let third = try await ProxyFixture(stateDirectory: folder.path, after: first)
        #expect(try await third.get("/user/alice/lab").status == 503, "gone from the disk too")
        await third.stop()
        await server.stop()
    }

    @Test func `the table is complete when the Hub has read it and been quiet for two seconds`()
        async throws
    {
        let proxy = try await ProxyFixture()
        try await proxy.add("/", to: server.port)
        #expect(try await proxy.get("/hub/").status == 200)
        for path in ["/user/x", "/user/", "/user/x/api?y", "/user"] {
            let answer = try await proxy.get(path)
            #expect(answer.status == 503, "\(path)")
            #expect(answer.text.contains("<meta http-equiv=\"refresh\" content=\"2\">"))
        }
        let sent = try await proxy.client.send(
            "POST", "http://127.0.0.1:\(proxy.port)/user/x", body: [])
        #expect(sent.status == 503 && !sent.text.contains("refresh"), "it is not sent again")
        _ = try await proxy.api("GET", "?inactive_since=2099")
        _ = try await proxy.api("GET", "?inactive_since=2099&x=%zz")
        #expect(try await proxy.api("GET", "?inactive_since=%zz").status == 400)
        let loop = EventLoop(name: "wait")
        await loop.run { await EventLoop.sleep(.milliseconds(2500), on: $0.core) }
        #expect(try await proxy.get("/user/x").status == 503, "a filtered listing says nothing")
        _ = try await proxy.table()
        try await proxy.add("/user/alice", to: server.port)
        #expect(try await proxy.get("/user/alice/lab").status == 200)
        #expect(try await proxy.get("/user/x").status == 503)
        let end = Instant.now() + .seconds(10)
        while try await proxy.get("/user/x").status == 503, Instant.now() < end {
            await loop.run { await EventLoop.sleep(.milliseconds(50), on: $0.core) }
        }
        #expect(try await proxy.get("/user/x").text == "hello from /user/x", "the route / has it")
        await proxy.stop()
        await server.stop()
    }

    @Test
    func `a Hub that starts us again tells its own route, and ten quiet seconds later all is told`()
        async throws
    {
        let folder = TestFolder()
        let first = try await ProxyFixture(stateDirectory: folder.path)
        try await first.add("/user/gone", to: server.port)
        await first.stop()
        // One that hears of a user's route, and never of the Hub's.
        let other = try await ProxyFixture()
        try await other.add("/", to: server.port)
        try await other.add("/user/alice", to: server.port)
        let second = try await ProxyFixture(stateDirectory: folder.path, after: first)
        let hub = #"{"hub":true,"target":"http://127.0.0.1:\#(server.port)","jupyterhub":true}"#
        #expect(try await second.api("POST", "/", hub).status == 201)
        // The seconds begin with the last word, not with its answer.
        let quiet = Instant.now() + .seconds(10)
        try await second.add("/user/alice", to: server.port)
        #expect(try await second.get("/user/x").status == 503)
        let loop = EventLoop(name: "wait")
        while try await second.get("/user/x").status == 503, Instant.now() < quiet + .seconds(10) {
            await loop.run { await EventLoop.sleep(.milliseconds(50), on: $0.core) }
        }
        #expect(Instant.now() > quiet)
        #expect(try await second.get("/user/x").status == 200)
        #expect(try await other.get("/user/x").status == 503)
        await other.stop()
        #expect(try await second.get("/user/gone").status == 200, "not confirmed, and still good")
        await second.stop()
        let third = try await ProxyFixture(stateDirectory: folder.path, after: first) {
            $0.routesAPI.storedRouteLifetime = .seconds(9)
        }
        #expect(try await third.get("/user/gone").status == 503, "telling confirms no others")
        await third.stop()
        await server.stop()
    }

    @Test(arguments: ["/@/space word/", "/"])
    func `user prefixes count below the Hub's base URL`(base: String) async throws {
        let raw = base.replacing(" ", with: "%20")
        let proxy = try await ProxyFixture(
            ["--error-target", "http://127.0.0.1:\(server.port)\(raw)hub/error"])
        try await proxy.add("/", to: server.port)
        #expect(try await proxy.get(raw + "user/x").status == 503)
        #expect(try await proxy.get(raw + "hub/x").status == 200)
        #expect(try await proxy.get("/elsewhere/user/x").status == 200)
        await proxy.stop()
        await server.stop()
    }

    @Test func `with host routing they count below each host`() async throws {
        let proxy = try await ProxyFixture(["--host-routing"])
        try await proxy.add("/hub.test/", to: server.port)
        let port = proxy.port
        func status(_ host: String, _ path: String) async throws -> Int {
            try await EventLoop(name: "raw").attempt { loop in
                let connection = try await RawConnection.connect(port: port, on: loop)
                try await connection.send("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                return try await connection.response().status
            }
        }
        #expect(try await status("hub.test", "/hub") == 200)
        #expect(try await status("HUB.test:80", "/hub") == 200)
        #expect(try await status("hub.test", "/user/x") == 503)
        #expect(try await status("alice.hub.test", "/user/alice/") == 503)
        #expect(try await status("alice.hub.test", "/hub") == 404)
        try await proxy.add("/alice.hub.test/user/alice", to: server.port)
        #expect(try await status("alice.hub.test", "/user/alice/") == 200)
        let table = try await proxy.table()
        #expect(table["/alice.hub.test/user/alice"]?["host"] == "alice.hub.test")
        await proxy.stop()
        await server.stop()
    }

    @Test func `without a usable state directory it runs and says so`() async throws {
        let journal = Journal()
        let log = Log(label: "", level: .warning) { event in journal.note(event.message) }
        let proxy = try await ProxyFixture(stateDirectory: "/proc/nowhere", log: log)
        try await proxy.add("/user/alice", to: server.port)
        #expect(try await proxy.get("/user/alice/lab").status == 200)
        #expect(journal.events.contains { $0.hasPrefix("routes end with this process") })
        await proxy.stop()
        await server.stop()
    }
}
