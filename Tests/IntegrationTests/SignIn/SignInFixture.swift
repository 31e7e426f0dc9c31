import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseTesting
import Testing

/// A gateway with an upstream that writes down what it gets, and a foreign host that nobody may
/// ask for anything.
struct SignInFixture {
    let gateway: TestGateway
    let upstream: FakeUpstream
    let stranger: FakeUpstream
    private let strangerServer: LocalServer

    /// - Parameter configure: changes the configuration.
    init(
        configure: (inout Configuration) -> Void = { _ in }, log: Log = .none,
        accessSink: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) async throws {
        let (upstream, stranger) = (FakeUpstream(), FakeUpstream())
        self.upstream = upstream
        self.stranger = stranger
        strangerServer = try LocalServer.start { _ in stranger }
        gateway = try await TestGateway(
            loops: 1, configure: configure, log: log, accessSink: accessSink
        ) { _ in upstream }
    }

    var url: String { gateway.publicURL }
    var provider: FakeProvider { gateway.provider }
    var strangerURL: String { "http://127.0.0.1:\(strangerServer.port)" }
    /// Where the gateway itself reaches the provider.
    var backChannel: String { provider.options.backChannelBase ?? "" }

    /// A sign-in of a new browser.
    func signIn(_ path: String = "/x", as name: String = "alice") async throws -> TestClient.Visit {
        try await gateway.browser().signIn(url + path, username: name, password: "\(name)-pw")
    }

    /// A good sign-in as soon as the provider is asked again: what failed is not asked for again
    /// within a second.
    func signInOnceAsked() async throws -> TestClient.Visit {
        let browser = try gateway.browser()
        let deadline = Instant.now() + .seconds(10)
        while true {
            let visit = try await browser.signIn(
                url + "/x", username: "alice", password: "alice-pw")
            if visit.response.status < 500 || Instant.now() > deadline { return visit }
            await pause(.milliseconds(100), on: browser.loop)
        }
    }

    /// Lets a while pass.
    func pause(_ time: Duration, on loop: EventLoop) async {
        await loop.run { loop in await EventLoop.sleep(time, on: loop.core) }
    }

    /// Expects that nobody is signed in, that the page is ours, and that the upstream and the
    /// foreign host saw nothing.
    func expectRefused(
        _ response: WireResponse, _ browser: TestClient, status: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(response.status == status, sourceLocation: sourceLocation)
        #expect(response["content-type"] == "text/html; charset=utf-8")
        #expect(response.text.contains("<footer>Reference: "), sourceLocation: sourceLocation)
        #expect(
            !browser.cookies(for: url).contains("__Host-Http-gatehouse="),
            sourceLocation: sourceLocation)
        #expect(upstream.count() == 0, sourceLocation: sourceLocation)
        #expect(stranger.count() == 0, sourceLocation: sourceLocation)
        let answer = try await browser.send("GET", url + "/x")
        #expect(answer.status == 401, sourceLocation: sourceLocation)
    }

    func stop() async {
        await gateway.stop()
        await strangerServer.stop()
    }
}
