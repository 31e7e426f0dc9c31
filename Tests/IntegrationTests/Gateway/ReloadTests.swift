import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseKit
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Synchronization
import Testing

/// Another configuration under running connections, as at SIGHUP.
struct ReloadTests {
    /// A server that answers everything with its name.
    private func server(_ name: String, _ journal: Journal) throws -> RawServer {
        try RawServer { connection, _ in
            while true {
                _ = try await connection.request()
                journal.note(name)
                try await connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: \(name.utf8.count)\r\n\r\n\(name)")
            }
        }
    }

    private func settings(_ server: RawServer, _ allow: String = "public") -> GatewaySettings {
        GatewaySettings(
            routes: ["{path: /open, upstream: \"http://127.0.0.1:\(server.port)\"}"],
            access: ["{path: /open/**, allow: \(allow)}"])
    }

    @Test func `routes and rules change for the next request of an open connection`() async throws {
        let journal = Journal()
        let (one, two) = (try server("one", journal), try server("two", journal))
        let settings = (settings(one), settings(two), settings(two, "deny"))
        let gateway = try await TestGateway(settings: settings.0) { _ in DemoApplication() }
        let alice = try await gateway.browser(of: "alice")
        try await alice.loop.attempt { loop in
            let client = try await gateway.connect(on: loop)
            let socket = try await gateway.webSocket("/echo", alice, on: loop)
            try await client.send(gateway.request("GET", "/open/x"))
            #expect(try await client.response().text == "one")
            try await gateway.reload(settings.1)
            try await client.send(gateway.request("GET", "/open/x"))
            #expect(try await client.response().text == "two")
            try await gateway.reload(settings.2)
            try await client.send(gateway.request("GET", "/open/x"))
            #expect(try await client.response().status == 403)
            #expect(journal.events == ["one", "two"])
            try await socket.send("still here")
            #expect(try await socket.receive()?.text == "still here")
        }
        #expect(try await alice.visit(gateway.publicURL + "/").status == 200)
        await gateway.stop()
        one.stop()
        two.stop()
    }

    @Test(arguments: ["public", "signed_in"])
    func `a request that waits for its body keeps the decision of its start`(
        allow: String
    ) async throws {
        let upstream = FakeUpstream()
        let began = Journal()
        upstream.on("/up/x") { exchange in
            began.note("began")
            let body = try await exchange.body(atMost: 100)
            await exchange.send(Response(200, body: body))
        }
        let before = GatewaySettings(access: ["{path: /up/**, allow: \(allow)}"])
        let gateway = try await TestGateway(settings: before) { _ in upstream }
        let alice = try await gateway.browser(of: "alice")
        try await alice.loop.attempt { loop in
            let client = try await gateway.connect(on: loop)
            let cookies = [("Cookie", alice.cookies(for: gateway.publicURL))]
            let fields = cookies + [("Content-Length", "10")]
            try await client.send(gateway.request("POST", "/up/x", fields: fields) + "12345")
            try await began.wait(for: "began", on: loop.core)
            try await gateway.reload(GatewaySettings(access: ["{path: /up/**, allow: deny}"]))
            try await client.send("67890")
            #expect(try await client.response().text == "1234567890")
            let next = gateway.request("POST", "/up/x", fields: cookies, body: "12345")
            try await client.send(next)
            #expect(try await client.response().status == 403)
            #expect(upstream.count("/up/x") == 1)
        }
        await gateway.stop()
    }

    @Test func `at no moment of a reload there are no rules`() async throws {
        let upstream = FakeUpstream()
        let rules = ["{path: /x/**, allow: signed_in}", "{path: /x/**, allow: {group: /staff}}"]
        let gateway = try await TestGateway(
            settings: GatewaySettings(access: [rules[0]])
        ) { _ in upstream }
        let alice = try await gateway.browser(of: "alice")
        let served = upstream.count()
        try await alice.loop.attempt { loop in
            let reloads = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                for turn in 1...10 {
                    try await gateway.reload(GatewaySettings(access: [rules[turn % 2]]))
                }
            }
            let (stranger, own) = (
                try await gateway.connect(on: loop), try await gateway.connect(on: loop)
            )
            let cookies = [("Cookie", alice.cookies(for: gateway.publicURL))]
            for _ in 0..<50 {
                try await stranger.send(gateway.request("GET", "/x/y"))
                #expect(try await stranger.response().status == 401)
                try await own.send(gateway.request("GET", "/x/y", fields: cookies))
                #expect(try await own.response().status == 200)
            }
            try await reloads.value
        }
        #expect(upstream.count() == served + 50)
        await gateway.stop()
    }

    @Test func `a text with a mistake changes nothing and says where`() async throws {
        let upstream = FakeUpstream()
        let gateway = try await TestGateway { _ in upstream }
        let alice = try await gateway.browser(of: "alice")
        for (rule, word) in [
            ("{path: /**, alow: public}", "alow"), ("{path: /**/x, allow: public}", "**"),
            ("{path: /x, allow: nobody}", "nobody"),
        ] {
            let error = await #expect(throws: TestGateway.Refused.self) {
                try await gateway.reload(GatewaySettings(access: [rule]))
            }
            #expect(error?.report.contains(word) == true)
            #expect(error?.report.contains("test:") == true)
        }
        #expect(try await gateway.browser().send("GET", gateway.publicURL + "/x").status == 401)
        #expect(try await alice.visit(gateway.publicURL + "/x").status == 200)
        await gateway.stop()
    }

    @Test func `a file that cannot be used changes nothing and is named`() async throws {
        let upstream = FakeUpstream()
        let gateway = try await TestGateway { _ in upstream }
        let settings = GatewaySettings(
            routes: ["{path: /x, upstream: secure}"], access: ["{path: /**, allow: public}"],
            more: ["upstreams: {secure: {url: \"https://x\", tls: {ca_file: /absent.pem}}}"])
        let error = await #expect(throws: GatewayError.self) {
            try await gateway.reload(settings)
        }
        #expect("\(try #require(error))".contains("/absent.pem"))
        #expect(try await gateway.browser().send("GET", gateway.publicURL + "/x").status == 401)
        #expect(upstream.count() == 0)
        await gateway.stop()
    }

    @Test func `a certificate that nobody takes is taken up with a warning`() async throws {
        let upstream = FakeUpstream()
        let lines = Locked<[String]>([])
        let expired = TestCertificate(valid: -7200 ... -3600)
        let gateway = try await TestGateway(
            log: Log(label: "test", level: .warning) { event in
                lines.withLock { $0.append(event.message) }
            }
        ) { _ in upstream }
        try await gateway.reload(GatewaySettings())
        #expect(lines.withLock { $0 } == [])
        try await gateway.reload(GatewaySettings()) {
            $0.listeners[0].tls?.certificates[0] = .init(
                certificate: expired.file, key: expired.keyFile)
        }
        let said = lines.withLock { $0 }
        #expect(said.count == 1)
        #expect(said.first?.contains("'\(expired.file)', which ended on") == true, "\(said)")
        await gateway.stop()
    }
}
