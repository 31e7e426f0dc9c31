import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import GatehouseNet
import GatehouseTesting
import Testing

/// What the listener of metrics serves beside them, and what the others do not.
struct MetricsListenerTests {
    @Test func `a metrics listener serves three addresses and nothing else`() async throws {
        let gateway = try await MetricsFixture()
        for method in ["GET", "POST", "HEAD", "DELETE"] {
            let answer = try await gateway.client.send(method, gateway.metricsURL + "/metrics")
            #expect(answer.status == 200)
        }
        let health = try await gateway.client.send("GET", gateway.metricsURL + "/healthz")
        #expect(health.status == 200)
        #expect(health.text == #"{"status":"OK"}"#)
        for path in ["/healthz", "/readyz"] {
            let answer = try await gateway.client.send("POST", gateway.metricsURL + path)
            #expect(answer.status == 405)
            #expect(answer["allow"] == "GET, HEAD")
        }
        for path in ["/", "/metrics/", "/metrics?x", "/api/routes", "/_chp_healthz"] {
            let answer = try await gateway.client.send("GET", gateway.metricsURL + path)
            #expect(answer.status == 404, "\(path)")
            #expect(answer.text == "Not Found")
        }
        await gateway.gateway.stop()
    }

    @Test func `metrics and readiness have no address on the public and the API's listener`()
        async throws
    {
        let fake = FakeUpstream()
        let server = try LocalServer.start { _ in fake }
        let gateway = try await MetricsFixture()
        for path in ["/metrics", "/readyz", "/healthz", "/.gatehouse/metrics"] {
            #expect(try await gateway.get(path) == 404)
            #expect(try await gateway.api("GET", path) == 404)
        }
        #expect(fake.count() == 0)
        try await gateway.add("/", port: server.port)
        // There they are the application's.
        let answer = try await gateway.client.send("GET", gateway.publicURL + "/metrics")
        #expect(answer.text == "hello from /metrics")
        await gateway.gateway.stop()
        await server.stop()
    }

    @Test func `it is ready when the Hub has told its routes, and not before`() async throws {
        let gateway = try await MetricsFixture()
        let url = gateway.metricsURL + "/readyz"
        let early = try await gateway.client.send("GET", url)
        #expect(early.status == 503)
        #expect(early.text == #"{"status":"routes incomplete"}"#)
        #expect(try await gateway.api("GET", "/api/routes") == 200)
        let deadline = Instant.now() + .seconds(10)
        var status = 503
        while status == 503, Instant.now() < deadline {
            status = try await gateway.client.send("GET", url).status
        }
        #expect(status == 200)
        #expect(try await gateway.scrape()["gatehouse_route_table_complete"] == 1)
        await gateway.gateway.stop()
    }

    @Test func `without a routes API it is ready at once, and no more while it drains`()
        async throws
    {
        let (journal, go) = (Journal(), Journal())
        let server = try RawServer { connection, loop in
            _ = try await connection.request()
            journal.note("asked")
            try await go.wait(for: "go", within: .seconds(20), on: loop.core)
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        }
        let target = "http://127.0.0.1:\(server.port)"
        let gateway = try await MetricsFixture(["--default-target", target]) { configuration in
            configuration.listeners[1].role = .metrics
            configuration.listeners[1].token = nil
            configuration.stop.drains = true
        }
        let (one, other) = (gateway.apiURL + "/readyz", gateway.metricsURL + "/readyz")
        #expect(try await gateway.client.send("GET", one).status == 200)
        try await EventLoop(name: "client").attempt { loop in
            let request = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                return try await gateway.get("/slow")
            }
            try await journal.wait(for: "asked", on: loop.core)
            let stop = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                await gateway.gateway.stop()
            }
            let patience = Instant.now() + .seconds(10)
            while try await gateway.client.send("GET", one).status == 200 {
                try #require(Instant.now() < patience, "it does not drain")
                await EventLoop.sleep(.milliseconds(10), on: loop.core)
            }
            for url in [one, other] {
                let answer = try await gateway.client.send("GET", url)
                #expect(answer.status == 503)
                #expect(answer.text == #"{"status":"draining"}"#)
            }
            go.note("go")
            #expect(try await request.value == 200)
            await stop.value
        }
        await #expect(throws: StreamError.refused) {
            _ = try await gateway.client.send("GET", one)
        }
        server.stop()
    }
}
