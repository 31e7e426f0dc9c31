import GatehouseBase
import GatehouseConfiguration
import GatehouseTesting
import Testing

struct DemoConfigurationTests {
    private func decode(_ demo: DemoConfiguration) -> DecodedConfiguration {
        ConfigurationDecoder.decode(
            text: demo.yaml, name: "demonstration", environment: [:],
            readFile: { _ in Array("from-a-file".utf8) })
    }

    @Test func `the development provider is a public route of the gateway itself`() throws {
        let demo = DemoConfiguration(
            port: 9443, certificates: "certs", upstream: .application(port: 4001),
            provider: .development(port: 4002, clientSecret: "a\"b\\c"))
        let decoded = decode(demo)
        #expect(decoded.diagnostics.map(\.rendered) == [])
        let configuration = try #require(decoded.configuration)
        #expect(configuration.publicURLs.map(\.description) == ["https://localhost:9443"])
        #expect(configuration.oidc?.issuer == "https://localhost:9443/provider")
        #expect(configuration.oidc?.backchannelBaseURL == "http://127.0.0.1:4002/provider")
        #expect(configuration.oidc?.clientSecret.revealText() == "a\"b\\c")
        #expect(configuration.routes.map(\.path) == ["/", "/provider"])
    }

    @Test func `another provider takes its place`() throws {
        let demo = DemoConfiguration(
            port: 8443, certificates: "certs", upstream: .application(port: 4001),
            provider: .external(
                issuer: "http://127.0.0.1:8180/realms/demo", clientID: "gatehouse",
                secretFile: "secret", caFile: "ca.pem"))
        let decoded = decode(demo)
        #expect(decoded.diagnostics.map(\.rendered) == [])
        let configuration = try #require(decoded.configuration)
        #expect(configuration.oidc?.caFile == "ca.pem")
        #expect(configuration.oidc?.clientSecret.revealText() == "from-a-file")
        #expect(configuration.routes.map(\.path) == ["/"])
        #expect(configuration.access.count == 4)
    }

    @Test func `a JupyterHub stands behind the gateway and tells it its routes`() throws {
        let demo = DemoConfiguration(
            port: 8443, certificates: "certs",
            upstream: .jupyterHub(
                DemoConfiguration.JupyterHub(port: 4003, apiPort: 4004, apiTokenFile: "token")),
            provider: .development(port: 4002, clientSecret: "secret"))
        let decoded = decode(demo)
        #expect(decoded.diagnostics.map(\.rendered) == [])
        let configuration = try #require(decoded.configuration)
        #expect(configuration.routes.map(\.path) == ["/", "/provider"])
        #expect(configuration.routes.map(\.preset) == [.jupyterhub, nil])
        let listener = try #require(configuration.listeners.last)
        #expect(listener.role == .api)
        #expect(listener.token?.revealText() == "from-a-file")
        #expect(configuration.jupyterHub.apiURL == "http://127.0.0.1:4003/hub/api")
        #expect(configuration.access.count == 3)
        #expect(configuration.identityHeaders.isEmpty)
        #expect(!configuration.log.access)
    }
}
