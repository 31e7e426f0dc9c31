public import GatehouseBase
public import GatehouseConfiguration
public import GatehouseKit
public import GatehouseNet
import GatehouseOIDC
public import GatehouseProxy

/// A whole gateway in this process, over TLS on a free port, with a provider that it reaches by an
/// inner name, as in the demonstration, and an upstream of the test's.
public final class TestGateway: Sendable {
    /// What browsers say, such as `https://localhost:43121`.
    public let publicURL: String
    public let port: UInt16
    public let provider: FakeProvider
    public let certificate: TestCertificate
    private let gateway: Gateway
    private let providerServer: LocalServer
    private let upstreamServer: LocalServer

    /// The configuration cannot be used.
    public struct Refused: Error { public let report: String }

    /// Starts everything.
    ///
    /// - Parameters:
    ///   - loops: of the gateway.
    ///   - provider: changes what the provider is.
    ///   - configure: changes the configuration of the demonstration.
    ///   - log: events.
    ///   - accessSink: lines of the access log.
    ///   - upstream: behind the route `/`.
    public init(
        loops: Int = 2, provider change: (inout FakeProvider.Options) -> Void = { _ in },
        configure: (inout Configuration) -> Void = { _ in }, log: Log = .none,
        accessSink: @escaping Gateway.AccessSink = { _ in },
        upstream: @escaping @Sendable (isolated EventLoop) -> any Responder
    ) async throws {
        let certificate = TestCertificate()
        let port = LocalPort.unused()
        let providerPort = try LocalPort()
        upstreamServer = try LocalServer.start { upstream($0) }
        var demo = DemoConfiguration(
            port: port, certificates: certificate.directory,
            applicationPort: upstreamServer.port,
            provider: .development(port: providerPort.number, clientSecret: "test-secret"))
        demo.loops = loops
        var options = FakeProvider.Options(
            issuer: demo.issuer,
            backChannelBase: "http://127.0.0.1:\(providerPort.number)/provider",
            clients: [
                FakeClient.gateway(
                    DemoConfiguration.clientID, secret: "test-secret", origins: [demo.publicURL])
            ])
        options.algorithm = .es256
        change(&options)
        let provider = FakeProvider(
            options, post: LogoutPoster(tls: try certificate.client()).post)
        providerServer = try LocalServer.start(providerPort) { _ in provider }
        let decoded = ConfigurationDecoder.decode(
            text: demo.yaml, name: "test", environment: [:], readFile: { _ in [] })
        guard var configuration = decoded.configuration else {
            throw Refused(report: Diagnostic.report(decoded.diagnostics))
        }
        configure(&configuration)
        let gateway = try Gateway(configuration, log: log, accessSink: accessSink)
        _ = try await gateway.start()
        self.gateway = gateway
        self.provider = provider
        self.certificate = certificate
        self.port = port
        publicURL = demo.publicURL
    }

    /// A browser that trusts the certificate.
    public func browser() throws -> TestClient { TestClient(tls: try certificate.client()) }

    /// Stops everything.
    public func stop() async {
        await gateway.stop()
        await providerServer.stop()
        await upstreamServer.stop()
    }
}
