import GatehouseNet
import GatehouseTesting
import Testing

/// Whom the gateway believes to be an upstream.
struct UpstreamTLSTests {
    /// What one server shows, how it is configured, and what comes of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let names: [String]
        let host: String
        /// More of `tls:`; `CA` stands for the server's own certificate.
        let settings: String
        let status: Int
        let testDescription: String
    }

    static let cases = [
        Case(
            names: ["DNS:localhost"], host: "localhost", settings: "ca_file: CA", status: 200,
            testDescription: "its authority is named"),
        Case(
            names: ["DNS:localhost"], host: "localhost", settings: "", status: 502,
            testDescription: "nobody vouches for it"),
        Case(
            names: ["DNS:other.example"], host: "localhost", settings: "ca_file: CA", status: 502,
            testDescription: "it shows another name"),
        Case(
            names: ["DNS:other.example"], host: "localhost",
            settings: "ca_file: CA, server_name: other.example", status: 200,
            testDescription: "it shows the name that is asked for"),
        Case(
            names: ["IP:127.0.0.1"], host: "127.0.0.1", settings: "ca_file: CA", status: 200,
            testDescription: "it shows its address"),
        Case(
            names: ["DNS:localhost"], host: "127.0.0.1", settings: "ca_file: CA", status: 502,
            testDescription: "it shows a name where an address is asked for"),
        Case(
            names: ["DNS:other.example"], host: "localhost",
            settings: "insecure_skip_verify: true", status: 200,
            testDescription: "it is believed whatever it shows"),
    ]

    @Test(arguments: cases)
    func `an upstream is believed by its certificate`(_ one: Case) async throws {
        let certificate = TestCertificate(names: one.names)
        let upstream = FakeUpstream()
        let server = try LocalServer.start(tls: try certificate.server()) { _ in upstream }
        let tls = one.settings.replacing("CA", with: certificate.file)
        let gateway = try await TestGateway(
            loops: 1,
            settings: GatewaySettings(
                routes: ["{path: /tls, upstream: secure}"],
                access: ["{path: /**, allow: public}"],
                more: [
                    "upstreams: {secure: {url: \"https://\(one.host):\(server.port)\", "
                        + "tls: {\(tls)}}}"
                ])
        ) { _ in FakeUpstream() }
        let browser = try gateway.browser()
        let answer = try await browser.send("GET", gateway.publicURL + "/tls/x")
        #expect(answer.status == one.status)
        #expect(upstream.count() == (one.status == 200 ? 1 : 0))
        // What OpenSSL said is for the log.
        #expect(!answer.text.contains("certificate"))
        #expect(try await browser.send("GET", gateway.publicURL + "/beside").status == 200)
        await gateway.stop()
        await server.stop()
    }

    @Test func `a listener shows the certificate of the name that is asked for`() async throws {
        let first = TestCertificate(names: ["DNS:a.localhost"])
        let second = TestCertificate(names: ["DNS:b.localhost", "DNS:*.c.localhost"])
        // Of two with a name the first is shown.
        let third = TestCertificate(names: ["DNS:b.localhost"])
        let both = try ServerTLS(
            [first, second, third].map {
                ServerTLS.Certificate(
                    certificateFile: $0.file, keyFile: $0.directory + "/server.key")
            }, minimum: .v12, maximum: .v13)
        let server = try LocalServer.start(tls: both) { _ in FakeUpstream() }
        let port = server.port
        let shown: [(TestCertificate, String)] = [
            (first, "a.localhost"), (second, "b.localhost"), (second, "B.localhost"),
            (second, "x.c.localhost"),
        ]
        try await EventLoop(name: "client").attempt { loop in
            for (certificate, name) in shown {
                try await RawConnection.connect(
                    port: port, tls: try certificate.client(), name: name, on: loop
                ).close()
            }
            // An unknown name is shown the first one, which does not have it.
            await #expect(throws: StreamError.self) {
                _ = try await RawConnection.connect(
                    port: port, tls: try first.client(), name: "unknown.localhost", on: loop)
            }
            let anyone = try ClientTLS(
                caFile: first.file, serverName: "a.localhost", insecureSkipVerify: false)
            try await RawConnection.connect(port: port, tls: anyone, name: "127.0.0.1", on: loop)
                .close()
        }
        await server.stop()
    }
}
