import GatehouseBase
import GatehouseNet
import GatehouseTesting
import Testing

/// What a public listener says of the gateway itself: nothing but that it serves.
struct PublicListenerTests {
    @Test func `nothing of the inside has an address below our prefix`() async throws {
        let upstream = FakeUpstream()
        let gateway = try await TestGateway { _ in upstream }
        let browsers = [try gateway.browser(), try await gateway.browser(of: "alice")]
        upstream.forget()
        for browser in browsers {
            for path in [
                "metrics", "readyz", "sessions", "routes", "status", "reload", "api/routes",
                "v1/sessions", "v1/routes", "v1/status", "v1/reload", "admin", "", "healthz/",
            ] {
                let url = gateway.publicURL + "/.gatehouse/" + path
                for method in ["GET", "POST"] {
                    let answer = try await browser.send(method, url)
                    #expect(answer.status == 404, "\(method) \(path)")
                }
            }
        }
        #expect(upstream.count() == 0)
        await gateway.stop()
    }

    @Test func `elsewhere such an address is the application's, and needs a session`()
        async throws
    {
        let upstream = FakeUpstream()
        let gateway = try await TestGateway { _ in upstream }
        let (stranger, alice) = (try gateway.browser(), try await gateway.browser(of: "alice"))
        upstream.forget()
        let paths = [
            "/metrics", "/api/routes", "/v1/sessions", "/v1/routes", "/readyz", "/healthz",
        ]
        for path in paths {
            #expect(try await stranger.send("GET", gateway.publicURL + path).status == 401)
        }
        #expect(upstream.count() == 0)
        for path in paths {
            let answer = try await alice.send("GET", gateway.publicURL + path)
            #expect(answer.text == "hello from \(path)")
        }
        await gateway.stop()
    }

    @Test func `health says that it serves, and nothing else to nobody`() async throws {
        let upstream = FakeUpstream()
        let gateway = try await TestGateway { _ in upstream }
        let browsers = [try gateway.browser(), try await gateway.browser(of: "alice")]
        upstream.forget()
        for path in ["/.gatehouse/healthz", "/_chp_healthz"] {
            for browser in browsers {
                let answer = try await browser.send("GET", gateway.publicURL + path)
                #expect(answer.status == 200)
                #expect(answer.text == #"{"status":"OK"}"#)
                #expect(answer["server"] == nil)
                #expect(answer["set-cookie"] == nil)
            }
        }
        #expect(upstream.count() == 0)
        await gateway.stop()
    }

    @Test func `a TLS handshake that fails says so in the log, a mere look at the port does not`()
        async throws
    {
        let journal = Journal()
        let log = Log(label: "test", level: .info) { event in
            journal.note(event.message)
            for field in event.fields { journal.note("\(field.name)=\(field.value)") }
        }
        let upstream = FakeUpstream()
        let gateway = try await TestGateway(log: log) { _ in upstream }
        let port = gateway.port
        try await EventLoop(name: "client").attempt { loop in
            try await RawConnection.connect(port: port, on: loop).close()
            let connection = try await RawConnection.connect(port: port, on: loop)
            try await connection.send("GET / HTTP/1.1\r\n\r\n")
            try await journal.wait(for: "TLS handshake failed", on: loop.core)
        }
        await gateway.stop()
        #expect(journal.count("TLS handshake failed") == 1)
        #expect(journal.count("error=http request") == 1)
        #expect(journal.count("peer=127.0.0.1") == 1)
    }
}
