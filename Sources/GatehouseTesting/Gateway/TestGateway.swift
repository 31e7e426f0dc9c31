public import GatehouseBase
public import GatehouseConfiguration
public import GatehouseKit
public import GatehouseNet
import GatehouseOIDC
public import GatehouseProxy
import Synchronization

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
    private let demo: DemoConfiguration
    private let isDrained = Atomic(false)

    /// The configuration cannot be used.
    public struct Refused: Error { public let report: String }

    /// Starts everything.
    ///
    /// - Parameters:
    ///   - loops: of the gateway.
    ///   - settings: added to the configuration.
    ///   - provider: changes what the provider is.
    ///   - configure: changes what was read, at the start only.
    ///   - log: events.
    ///   - accessSink: lines of the access log.
    ///   - upstream: behind the route `/`.
    public init(
        loops: Int = 2, settings: GatewaySettings = GatewaySettings(),
        provider change: (inout FakeProvider.Options) -> Void = { _ in },
        configure: (inout Configuration) -> Void = { _ in },
        log: Log = .none, accessSink: @escaping Gateway.AccessSink = { _ in },
        upstream: @escaping @Sendable (isolated EventLoop) -> any Responder
    ) async throws {
        let certificate = TestCertificate()
        let port = LocalPort.unused()
        let providerPort = try LocalPort()
        upstreamServer = try LocalServer.start { upstream($0) }
        var demo = DemoConfiguration(
            port: port, certificates: certificate.directory,
            upstream: .application(port: upstreamServer.port),
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
        var configuration = try TestGateway.decode(settings.added(to: demo.yaml))
        configure(&configuration)
        let gateway = try Gateway(configuration, log: log, accessSink: accessSink)
        _ = try await gateway.start()
        self.gateway = gateway
        self.demo = demo
        self.provider = provider
        self.certificate = certificate
        self.port = port
        publicURL = demo.publicURL
    }

    private static func decode(_ text: String) throws -> Configuration {
        let decoded = ConfigurationDecoder.decode(
            text: text, name: "test", environment: [:], readFile: { _ in [] })
        guard let configuration = decoded.configuration else {
            throw Refused(report: Diagnostic.report(decoded.diagnostics))
        }
        return configuration
    }

    /// What stands in Host.
    public var authority: String { "localhost:\(port)" }

    /// A browser that trusts the certificate.
    public func browser() throws -> TestClient { TestClient(tls: try certificate.client()) }

    /// A browser in which a user of the demonstration has signed in.
    public func browser(of username: String) async throws -> TestClient {
        let browser = try browser()
        _ = try await browser.signIn(
            publicURL, username: username, password: "\(username)-pw")
        return browser
    }

    /// Signs out in a browser, as its user does by a link of the page.
    /// - Returns: the status.
    public func signOut(_ browser: TestClient) async throws -> Int {
        let fields = [
            ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-User", "?1"), ("Sec-Fetch-Dest", "document"),
        ]
        let url = publicURL + "/.gatehouse/logout"
        return try await browser.send("GET", url, fields: fields).status
    }

    /// A connection over TLS.
    public func connect(on loop: isolated EventLoop) async throws -> RawConnection {
        try await RawConnection.connect(port: port, tls: try certificate.client(), on: loop)
    }

    /// Opens a WebSocket with the cookies of a browser.
    public func webSocket(
        _ target: String, _ browser: TestClient, on loop: isolated EventLoop
    ) async throws -> WebSocketClient {
        try await WebSocketClient(
            over: try await connect(on: loop), target: target, authority: authority,
            fields: [("Cookie", browser.cookies(for: publicURL))])
    }

    /// Takes up other settings under the running connections, as SIGHUP does.
    /// - Parameter configure: changes what was read.
    /// - Throws: ``Refused`` or the gateway's error, and then nothing has changed.
    public func reload(
        _ settings: GatewaySettings, configure: (inout Configuration) -> Void = { _ in }
    ) async throws {
        var configuration = try TestGateway.decode(settings.added(to: demo.yaml))
        configure(&configuration)
        try await gateway.reload(configuration)
    }

    /// Stops the gateway alone, as SIGTERM does.
    public func drain() async {
        guard !isDrained.exchange(true, ordering: .relaxed) else { return }
        await gateway.stop()
    }

    /// Stops everything.
    public func stop() async {
        await drain()
        await providerServer.stop()
        await upstreamServer.stop()
    }
}
