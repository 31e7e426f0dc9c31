import GatehouseBase
import Testing

@testable import GatehouseConfiguration

/// `listeners`, `upstreams`, `routes_api` and `forwarding`, value by value.
struct ConfigurationDecoderServingTests {
    private let base = """
        routes: [{path: /, upstream: http://127.0.0.1:8081}]
        access: [{path: /**, allow: public}]

        """

    private func serving() throws -> Configuration {
        try #require(
            Corpus.decode(Corpus.bytes("Tests/Corpus/yaml/accept/serving.yaml")).configuration)
    }

    @Test func `a listener has its role, its token and its redirect`() throws {
        let listeners = try serving().listeners
        #expect(
            listeners.map(\.role) == [
                .public, .public, .api, .api, .api, .api, .api, .api, .metrics,
            ])
        #expect(
            listeners.map { $0.redirect != nil } == [false, true]
                + Array(repeating: false, count: 7))
        #expect(listeners[1].redirect == HTTPSRedirect(status: 307, port: nil))
        #expect(listeners[2].token == Secret("t0ken"))
        #expect(listeners[2].tokenFile == "/run/secrets/proxy")
        #expect(listeners[3].token == nil && listeners[3].tokenFile == nil)
        #expect(listeners.allSatisfy { $0.keepAliveIdle == nil })
    }

    @Test func `TLS of a listener has its ciphers, parameters and clients`() throws {
        let configuration = try serving()
        let tls = try #require(configuration.listeners[0].tls)
        #expect(tls.ciphers == "ECDHE+AESGCM:!aNULL")
        #expect(tls.dhparamFile == "dh.pem" && tls.clientCA == "/etc/ca.pem")
        #expect(tls.clientCertificate == .request)
        #expect(configuration.listeners[7].tls?.clientCertificate == .require)
        #expect(
            configuration.namedFiles.map(\.path) == [
                "listeners[0].tls.certificates[0].certificate",
                "listeners[0].tls.certificates[0].key", "listeners[0].tls.dhparam_file",
                "listeners[0].tls.client_ca", "listeners[7].tls.certificates[0].certificate",
                "listeners[7].tls.certificates[0].key", "listeners[7].tls.client_ca",
                "upstreams.reports.tls.certificate", "upstreams.reports.tls.key",
            ])
        #expect(configuration.namedFiles[2].file == "dh.pem")
        #expect(configuration.namedFiles[8].file == "gateway.key")
    }

    @Test func `an upstream has its limits and its certificate`() throws {
        let upstreams = try serving().upstreams
        #expect(upstreams[0].responseIdle == .seconds(90))
        #expect(upstreams[0].maximumConnections == 500)
        #expect(upstreams[1].responseIdle == nil && upstreams[1].maximumConnections == nil)
        #expect(upstreams[1].tls.certificate == "gateway.pem")
        #expect(upstreams[1].tls.key == "gateway.key")
        #expect(upstreams[1].tls.trustsSystem)
    }

    @Test func `the routes API has its prefixes with a slash at their end`() throws {
        let configuration = try serving()
        #expect(configuration.routesAPI.userPrefixes == ["/user/", "/base/user/", "/秀樹/"])
        #expect(configuration.routesAPI.storedRouteLifetime == .seconds(3600))
        #expect(configuration.routesAPI.hostRouting)
        #expect(configuration.routesAPI.activity == .traffic)
        #expect(configuration.routesAPI.defaultTarget == nil)
        #expect(configuration.pidFile == "/run/gatehouse.pid")
    }

    @Test func `forwarding has every setting that flags have`() throws {
        let forwarding = try serving().forwarding
        #expect(forwarding.forwardedFields == .pass)
        #expect(!forwarding.prependPath && !forwarding.includePrefix)
        #expect(forwarding.changeOrigin && forwarding.autoRewrite)
        #expect(forwarding.protocolRewrite == "https")
        #expect(forwarding.requestFields.map(\.name) == ["X-Site", "Host", "X-Text"])
        #expect(forwarding.requestFields.map(\.value) == ["berlin", "hub:1", "two words: é"])
        #expect(forwarding.errorPages.directory == "pages" && forwarding.errorPages.target == nil)
        // What no key says.
        #expect(forwarding.upstreamFailures == .gateway && forwarding.exchangeIdle == nil)
    }

    @Test func `without a key the defaults of the service hold`() throws {
        let configuration = try #require(Corpus.decode(base).configuration)
        #expect(configuration.routesAPI == RoutesAPISettings())
        #expect(configuration.forwarding == ForwardingSettings())
        #expect(configuration.forwarding.forwardedFields == .replace)
        #expect(configuration.stop == StopSettings())
        #expect(configuration.stop.drains && configuration.stop.exitStatus == 0)
        #expect(configuration.requiresState && configuration.requiresToken)
        #expect(configuration.reloads && configuration.readingsMustAgree)
    }

    @Test func `a token's file is relative to the configuration`() throws {
        let text = """
            state_dir: none
            listeners:
              - {address: "127.0.0.1:8080"}
              - {address: "0.0.0.0:8001", role: api, token_file: secrets/proxy}
            access: [{path: /**, allow: public}]
            """
        let decoded = ConfigurationDecoder.decode(
            file: "etc/gatehouse.yaml", environment: [:]
        ) { path in
            switch path {
            case "etc/gatehouse.yaml": return Array(text.utf8)
            case "etc/secrets/proxy": return Array("T\r\n".utf8)
            default: throw Corpus.NoSuchFile()
            }
        }
        let configuration = try #require(
            decoded.configuration, "\(Diagnostic.report(decoded.diagnostics))")
        #expect(configuration.listeners[1].token == Secret("T"))
        #expect(EffectiveSettings.yaml(of: configuration).contains("token_file: etc/secrets/proxy"))
    }

    /// In the place of configurable-http-proxy nobody is asked for a token, as there.
    @Test func `an open API is an error of the service only`() throws {
        let yaml = "listeners: [{address: \"[::]:8001\", role: api}]\n"
        #expect(Corpus.decode(base + yaml).configuration == nil)
        let start = try CommandLineFixture.start([], environment: ["HOME": "/h"], yaml: yaml)
        #expect(start.configuration.listeners.map(\.role) == [.api, .public])
        #expect(start.lines.map(\.text) == ["REST API is not authenticated."])
    }

    @Test func `a front has its profile and whom it is trusted in`() throws {
        let listeners = try #require(
            Corpus.decode(Corpus.bytes("Tests/Corpus/yaml/accept/front.yaml")).configuration
        ).listeners
        #expect(
            listeners.map(\.front.profile) == [.nginx, .cloudflareTunnel, .forwarded, .none, .none])
        #expect(listeners.map(\.front.isTrusted) == [true, true, true, false, false])
        #expect(listeners.map(\.front.trustsUnixSocket) == [false, true, false, false, false])
        // The last of the text is one of the others, written in IPv6.
        #expect(
            listeners[0].front.trusted == [
                Network(bytes: [127, 0, 0, 1], prefix: 32),
                Network(bytes: [10, 0, 0, 0], prefix: 8),
                Network(bytes: [0xFD] + [UInt8](repeating: 0, count: 15), prefix: 8),
            ])
        #expect(listeners[1].front.trusted.isEmpty)
        #expect(listeners[3].front == FrontSettings() && listeners[4].front == FrontSettings())
    }

    @Test func `a route has its preset and its limit, and the Hub its URLs`() throws {
        let configuration = try #require(
            Corpus.decode(Corpus.bytes("Tests/Corpus/yaml/accept/hub.yaml")).configuration)
        #expect(
            configuration.routes.map(\.preset) == [
                .jupyterhub, .jupyterhub, .jupyterhub, RoutePreset.none,
            ])
        #expect(configuration.routes.map(\.maximumBody) == [nil, nil, nil, 10_000_000])
        #expect(configuration.jupyterHub.baseURL.path == "/jupyter/")
        #expect(configuration.jupyterHub.apiURL == "https://hub:8081/jupyter/hub/api")
        // In `serve` the preset is written, also for what the API adds.
        #expect(configuration.routesAPI.preset == RoutePreset.none)
        let plain = try #require(Corpus.decode(base).configuration)
        #expect(plain.routes[0].preset == nil && plain.jupyterHub == JupyterHubSettings())
        let root = try #require(
            Corpus.decode(
                base.replacing("8081}", with: "8081, preset: jupyterhub}")
                    + "jupyterhub: {base_url: /}"
            ).configuration)
        #expect(root.jupyterHub.baseURL.path == "/")
    }
}
