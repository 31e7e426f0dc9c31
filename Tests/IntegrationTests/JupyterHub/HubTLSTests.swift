import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Synchronization
import Testing

/// A Hub whose API speaks TLS, with certificates of an authority of its own on both sides, as
/// JupyterHub's internal TLS has them: whom a token is shown to.
struct HubTLSTests {
    /// How the gateway knows where the Hub's API is, and by which certificates.
    enum Way: CaseIterable, CustomTestStringConvertible {
        case routeOfTheAPI, configuredRoute, urlBesideTheRoutesTLS, urlBesideTheAPIsTLS

        var testDescription: String {
            switch self {
            case .routeOfTheAPI: "a route that the API has made, client-side settings"
            case .configuredRoute: "a configured route with settings of its own"
            case .urlBesideTheRoutesTLS: "api_url, and the settings of the Hub's route"
            case .urlBesideTheAPIsTLS: "api_url, and the client-side settings"
            }
        }
    }

    private static let apiToken = "secret"

    private let authority = TestCertificate()
    private let stranger = TestCertificate()
    /// What we show to the Hub.
    private let own = TestCertificate()

    /// A Hub that knows all tokens, and asks for our certificate.
    private func serve(
        _ hub: FakeUpstream, as identity: TestCertificate, _ port: UInt16
    ) throws -> LocalServer {
        hub.on(HubFixture.api) { exchange in
            await exchange.send(HubFixture.answer(to: exchange.request))
        }
        let certificate = ServerTLS.Certificate(
            certificateFile: identity.file, keyFile: identity.keyFile)
        let tls = try ServerTLS(
            [certificate], minimum: .v12, maximum: .v13, clientCAFile: own.file,
            clientCertificate: .require)
        return try LocalServer.start(try LocalPort(port), tls: tls) { _ in hub }
    }

    /// The settings that lead to the Hub's API at `port`.
    private func lead(
        _ configuration: inout Configuration, _ way: Way, to port: UInt16, _ apiPort: UInt16
    ) {
        let url = "https://127.0.0.1:\(port)"
        var tls = UpstreamSettings.TLS(caFile: authority.file)
        tls.certificate = own.file
        tls.key = own.keyFile
        tls.trustsSystem = false
        let upstream = UpstreamSettings(
            name: url, url: Origin(scheme: .https, host: "127.0.0.1", port: port), tls: tls)
        let root = configuration.routes.firstIndex { $0.path == "/" } ?? 0
        switch way {
        case .routeOfTheAPI:
            configuration.routes.remove(at: root)
            var listener = ListenerSettings(
                address: .tcp(host: "127.0.0.1", port: apiPort), role: .api)
            listener.token = Secret(HubTLSTests.apiToken)
            configuration.listeners.append(listener)
            configuration.routesAPI.preset = .jupyterhub
            configuration.routesAPI.upstream = upstream
        case .configuredRoute:
            configuration.routes[root].upstream = upstream
        case .urlBesideTheRoutesTLS:
            configuration.routes[root].upstream = upstream
            configuration.jupyterHub.apiURL = url + "/hub/api"
        case .urlBesideTheAPIsTLS:
            configuration.routesAPI.upstream = upstream
            configuration.jupyterHub.apiURL = url + "/hub/api"
        }
    }

    // SECURITY-CASES G08.
    @Test(arguments: Way.allCases)
    func `a token is shown to the Hub that its authority vouches for, and to nobody else`(
        way: Way
    ) async throws {
        let (port, apiPort) = (LocalPort.unused(), LocalPort.unused())
        let lines = Locked<[String]>([])
        let log = Log(label: "", level: .notice) { event in
            let text = event.message + event.fields.map { " \($0.name)=\($0.value)" }.joined()
            lines.withLock { $0.append(text) }
        }
        let lab = try await HubFixture(
            configure: { lead(&$0, way, to: port, apiPort) }, log: log)
        if way == .routeOfTheAPI {
            let made = try await TestClient().send(
                "POST", "http://127.0.0.1:\(apiPort)/api/routes/",
                fields: [("Authorization", "token \(HubTLSTests.apiToken)")],
                body: Array(#"{"target":"https://127.0.0.1:\#(port)"}"#.utf8))
            #expect(made.status == 201)
        }
        // Users' servers wait for the API's other routes, which nobody makes here.
        let path = way == .routeOfTheAPI ? "/hub/home" : "/user/alice/x"
        let (impostor, hub) = (FakeUpstream(), FakeUpstream())
        let wrong = try serve(impostor, as: stranger, port)
        let refused = try await lab.get(path, token: "alices")
        #expect(refused.status == 503 && refused["retry-after"] == "5")
        #expect(refused.text == #"{"error":"hub_unavailable"}"#)
        #expect(impostor.requests.isEmpty && impostor.refusals.isEmpty)
        #expect(lab.server.requests.isEmpty && lab.hub.requests.isEmpty)
        let said = lines.withLock { $0 }.filter { $0.contains("about a token") }
        #expect(said.count == 1)
        #expect(
            said.first?.hasPrefix(
                "JupyterHub cannot be asked about a token reason=its certificate is not accepted: "
            ) == true)
        #expect(!said.contains { $0.contains("alices") })
        await wrong.stop()
        // The same gateway, once the Hub itself is there.
        let right = try serve(hub, as: authority, port)
        #expect(try await lab.get(path, token: "alices").status == 200)
        #expect(hub.count(HubFixture.api) == 1)
        #expect(hub.requests.allSatisfy { $0.all("authorization") == ["token alices"] })
        #expect((hub.requests + lab.server.requests).map(\.path) == [HubFixture.api, path])
        #expect(lab.hub.requests.isEmpty)
        await lab.stop()
        await right.stop()
    }

    // SECURITY-CASES G08.
    @Test func `a handshake that the Hub leaves unanswered takes as long as a question may`()
        async throws
    {
        let silent = try RawServer { connection, _ in while try await connection.read() != nil {} }
        let lab = try await HubFixture(configure: { configuration in
            configuration.limits.hubTokenTime = .milliseconds(200)
            configuration.jupyterHub.apiURL = "https://127.0.0.1:\(silent.port)/hub/api"
        })
        let began = Instant.now()
        #expect(try await lab.get("/user/alice/x", token: "alices").status == 503)
        #expect(Instant.now().since(began) < .seconds(2))
        #expect(lab.server.requests.isEmpty && lab.hub.requests.isEmpty)
        await lab.stop()
        silent.stop()
    }
}
