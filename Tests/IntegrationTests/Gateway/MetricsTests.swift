import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

@testable import GatehouseKit

/// What a scrape says after traffic that is known.
struct MetricsTests {
    private func upstream(_ responder: FakeUpstream) throws -> LocalServer {
        try LocalServer.start { _ in responder }
    }

    @Test func `requests count under configurable-http-proxy's names, health does not`()
        async throws
    {
        let fake = FakeUpstream()
        fake.on("/user/a/odd", Response(418))
        fake.on("/user/a/sent", Response(200, contentType: "text/plain", "0123456789"))
        let (server, gateway) = (try upstream(fake), try await MetricsFixture())
        try await gateway.add("/user/a", port: server.port)
        try await gateway.add("/user/dead", port: 1)
        for _ in 0..<3 { #expect(try await gateway.get("/user/a/sent") == 200) }
        #expect(try await gateway.get("/user/a/odd") == 418)
        #expect(try await gateway.get("/user/dead/x") == 503)
        #expect(try await gateway.get("/nowhere") == 404)
        #expect(try await gateway.get("/_chp_healthz") == 200)
        let samples = try await gateway.scrape(until: [
            "requests_web": 6, "requests_ws": 0,
            #"requests_proxy{status="200"}"#: 3, #"requests_proxy{status="418"}"#: 1,
            #"requests_proxy{status="503"}"#: 1, #"requests_proxy{status="404"}"#: 1,
            "find_target_for_req_count": 6, "last_activity_updating_count": 3,
            #"gatehouse_request_duration_seconds_count{kind="web",status="2xx"}"#: 3,
            #"gatehouse_request_duration_seconds_bucket{kind="web",status="2xx",le="+Inf"}"#: 3,
            #"gatehouse_request_failures_total{fault="upstream",reason="connect_refused"}"#: 1,
            #"gatehouse_request_failures_total{fault="gateway",reason="no_route"}"#: 1,
            #"gatehouse_routes{source="api"}"#: 2,
            #"gatehouse_route_table_complete"#: 0,
        ])
        #expect(samples["find_target_for_req_sum", default: 0] > 0)
        #expect(samples["last_activity_updating_sum", default: 0] > 0)
        #expect(samples["gatehouse_sent_bytes_total", default: 0] >= 30)
        #expect(samples["process_open_fds", default: 0] > 5)
        #expect(samples["process_resident_memory_bytes", default: 0] > 1_048_576)
        await gateway.gateway.stop()
        await server.stop()
    }

    @Test func `the routes API counts its requests`() async throws {
        let gateway = try await MetricsFixture(loops: 1)
        try await gateway.add("/user/a", port: 1)
        try await gateway.add("/user/a", port: 2)
        #expect(try await gateway.api("POST", "/api/routes/user/b", "{}") == 400)
        #expect(try await gateway.api("GET", "/api/routes") == 200)
        #expect(try await gateway.api("GET", "/api/routes/user/a") == 200)
        #expect(try await gateway.api("GET", "/api/routes?inactiveSince=never") == 400)
        #expect(try await gateway.api("DELETE", "/api/routes/user/a") == 204)
        #expect(try await gateway.api("DELETE", "/api/routes/user/a") == 404)
        #expect(try await gateway.api("GET", "/api/routes", token: "wrong") == 403)
        #expect(try await gateway.api("GET", "/metrics") == 404)
        try await gateway.scrape(until: [
            "api_route_get": 1, "api_route_add": 2, "api_route_delete": 2,
            #"requests_api{status="200"}"#: 2, #"requests_api{status="201"}"#: 2,
            #"requests_api{status="204"}"#: 1, #"requests_api{status="400"}"#: 2,
            #"requests_api{status="403"}"#: 1, #"requests_api{status="404"}"#: 2,
            "requests_web": 0, #"gatehouse_routes{source="api"}"#: 0,
        ])
        await gateway.gateway.stop()
    }

    @Test func `a WebSocket is in the gauge while it is open, and its bytes count at its end`()
        async throws
    {
        let server = try RawServer { connection, _ in
            let socket = try await WebSocketServer(over: connection)
            while let frame = try await socket.receive() { try await socket.send(frame) }
        }
        let gateway = try await MetricsFixture()
        try await gateway.add("/user/a", port: server.port)
        let port = try #require(TestURL(gateway.publicURL)).port
        let count = 3
        try await EventLoop(name: "client").attempt { loop in
            var sockets: [WebSocketClient] = []
            for _ in 0..<count {
                let socket = try await WebSocketClient(
                    over: try await RawConnection.connect(port: port, on: loop),
                    target: "/user/a/ws", authority: "127.0.0.1:\(port)")
                try await socket.send("12345")
                #expect(try await socket.receive()?.payload == Array("12345".utf8))
                sockets.append(socket)
            }
            try await gateway.scrape(until: [
                "gatehouse_websockets": 3, "requests_ws": 3, "requests_web": 0,
                #"requests_proxy{status="101"}"#: 0,
                #"gatehouse_request_duration_seconds_count{kind="ws",status="1xx"}"#: 3,
                #"gatehouse_connections{role="public"}"#: 3,
                #"gatehouse_upstream_connections{state="busy"}"#: 3,
                "gatehouse_received_bytes_total": 0,
            ])
            for socket in sockets { socket.connection.close() }
            // A text of five bytes has 7 in a frame from a server, and a mask of 4 more from a client.
            try await gateway.scrape(until: [
                "gatehouse_websockets": 0, #"gatehouse_connections{role="public"}"#: 0,
                #"gatehouse_upstream_connections{state="busy"}"#: 0,
                "gatehouse_received_bytes_total": 33, "gatehouse_sent_bytes_total": 21,
            ])
        }
        await gateway.gateway.stop()
        server.stop()
    }

    @Test func `upstream connections are told opened, reused and idle`() async throws {
        let fake = FakeUpstream()
        let (server, gateway) = (try upstream(fake), try await MetricsFixture(loops: 1))
        try await gateway.add("/user/a", port: server.port)
        for round in 0..<5 {
            // A Hub tells all its routes again now and then: connections stay.
            if round == 3 { try await gateway.add("/user/a", port: server.port) }
            #expect(try await gateway.get("/user/a/x") == 200)
        }
        try await gateway.scrape(until: [
            "gatehouse_upstream_connections_opened_total": 1,
            "gatehouse_upstream_connections_reused_total": 4,
            #"gatehouse_upstream_connections{state="idle"}"#: 1,
            #"gatehouse_upstream_connections{state="busy"}"#: 0,
        ])
        await gateway.gateway.stop()
        await server.stop()
    }

    @Test func `what is no request counts as a failure, and as no request`() async throws {
        let gateway = try await MetricsFixture()
        let port = try #require(TestURL(gateway.publicURL)).port
        try await EventLoop(name: "client").attempt { loop in
            let connection = try await RawConnection.connect(port: port, on: loop)
            try await connection.send("GET / HTTP/1.1\r\nbad field\r\n\r\n")
            #expect(try await connection.response().status == 400)
        }
        try await gateway.scrape(until: [
            #"gatehouse_request_failures_total{fault="downstream",reason="malformed"}"#: 1,
            #"requests_proxy{status="400"}"#: 1, "requests_web": 0,
            "find_target_for_req_count": 0,
        ])
        await gateway.gateway.stop()
    }

    @Test func `connections to a server go with its route`() async throws {
        let fake = FakeUpstream()
        let (server, gateway) = (try upstream(fake), try await MetricsFixture(loops: 1))
        for path in ["/user/a", "/user/b"] {
            try await gateway.add(path, port: server.port)
            #expect(try await gateway.get(path + "/x") == 200)
        }
        let idle = #"gatehouse_upstream_connections{state="idle"}"#
        try await gateway.scrape(until: [idle: 2])
        #expect(try await gateway.api("DELETE", "/api/routes/user/a") == 204)
        try await gateway.scrape(until: [idle: 1])
        let other = #"{"target":"http://127.0.0.1:1"}"#
        #expect(try await gateway.api("POST", "/api/routes/user/b", other) == 201)
        try await gateway.scrape(until: [idle: 0])
        await gateway.gateway.stop()
        await server.stop()
    }

    @Test(arguments: [0, 1, 2])
    func `a TLS handshake that fails counts, on every listener`(place: Int) async throws {
        let certificate = TestCertificate()
        let gateway = try await MetricsFixture { configuration in
            // Another one beside it shows the metrics.
            configuration.listeners.append(configuration.listeners[2])
            configuration.listeners[place].tls = ListenerTLSSettings(certificates: [
                ListenerTLSSettings.CertificatePair(
                    certificate: certificate.file,
                    key: certificate.directory + "/server.key")
            ])
        }
        let port = try #require(TestURL(gateway.urls[place])).port
        try await EventLoop(name: "client").attempt { loop in
            let connection = try await RawConnection.connect(port: port, on: loop)
            try await connection.send("GET / HTTP/1.1\r\n\r\n")
            _ = await Ending(of: connection)
        }
        try await gateway.scrape(until: [
            "gatehouse_tls_handshake_failures_total": 1, "requests_web": 0,
        ])
        await gateway.gateway.stop()
    }

    @Test func `labels have few values, whatever clients and servers say`() async throws {
        let fake = FakeUpstream()
        for status in 200...599 where status != 204 && status != 304 {
            fake.on("/user/a/\(status)", Response(status))
        }
        let (server, gateway) = (try upstream(fake), try await MetricsFixture(loops: 1))
        try await gateway.add("/user/a", port: server.port)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let status = Int.random(in: 200...599, using: &generator)
            let method = ["GET", "HEAD", "REPORT", "X\(status)"].randomElement() ?? ""
            let path = "/user/a/\(status)?\(generator.next())"
            _ = try await gateway.client.send(method, gateway.publicURL + path)
            _ = try await gateway.get("/x\(generator.next())")
        }
        let samples = try await gateway.scrape()
        #expect(samples["requests_web", default: 0] > 200)
        let statuses = MetricsReport.knownStatuses.map { "\($0)" }
        let classes = (1...5).map { "\($0)xx" }
        let allowed: [String: [String]] = [
            "status": statuses + classes, "kind": ["web", "ws"],
            "role": ["public", "api", "metrics"], "state": ["idle", "busy"],
            "source": ["api", "configuration"], "loop": ["0", "control"],
            "fault": ["downstream", "upstream", "provider", "gateway"],
            "quantile": PrometheusText.quantiles.map(\.0),
            "le": DurationHistogram.bounds.map(\.text) + ["+Inf"],
            "verdict": CounterValues.tokenVerdicts,
            "reason": samples.keys.compactMap { SampleLabels($0)["reason"] },
        ]
        for name in samples.keys {
            for (label, value) in SampleLabels(name).all {
                #expect(allowed[label]?.contains(value) == true, "\(name)")
            }
        }
        #expect(Set(allowed["reason"] ?? []) == Set(ExchangeFailure.Kind.allCases.map(\.rawValue)))
        #expect(samples.count < 400)
        await gateway.gateway.stop()
        await server.stop()
    }

    @Test func `every instrument is in a scrape once, with its kind and what it says`()
        async throws
    {
        let gateway = try await MetricsFixture()
        let answer = try await gateway.client.send("GET", gateway.metricsURL + "/metrics")
        #expect(answer["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        let lines = answer.text.split(separator: "\n")
        for instrument in Instruments.all {
            let kind = "# TYPE \(instrument.name) \(instrument.kind.rawValue)"
            #expect(lines.count { $0 == kind } == 1, "\(instrument.name)")
            #expect(lines.count { $0.hasPrefix("# HELP \(instrument.name) ") } == 1)
        }
        #expect(lines.count { $0.hasPrefix("# TYPE ") } == Instruments.all.count)
        await gateway.gateway.stop()
    }
}

/// The labels of a sample's name.
struct SampleLabels {
    let all: [(String, String)]

    init(_ name: String) {
        guard let brace = name.firstIndex(of: "{") else {
            all = []
            return
        }
        all = name[name.index(after: brace)...].dropLast().split(separator: ",").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return (String(parts[0]), String(parts[1].dropFirst().dropLast()))
        }
    }

    subscript(label: String) -> String? { all.first { $0.0 == label }?.1 }
}
