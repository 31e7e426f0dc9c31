import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting

/// Forwards every request to one target, without a gate: for targets that a test makes itself.
/// What fails is answered with its word.
final class ForwardingServer: Responder {
    /// What opens a WebSocket.
    static let upgrade =
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

    private let target: UpstreamTarget
    private let review: ResponseReview
    private let tunnels: Journal?
    private let pool: UpstreamPool

    private init(
        _ target: UpstreamTarget, _ review: ResponseReview, _ tunnels: Journal?, core: LoopCore
    ) {
        self.target = target
        self.review = review
        self.tunnels = tunnels
        let limits = Limits()
        pool = UpstreamPool(core: core, resolver: Resolver(limits), limits: limits)
    }

    /// - Parameter tunnels: notes `ended` for each that has.
    static func start(
        _ target: UpstreamTarget, review: ResponseReview = ResponseReview(),
        limits: Limits = Limits(), tunnels: Journal? = nil
    ) throws -> LocalServer {
        try LocalServer.start(limits: limits) { loop in
            ForwardingServer(target, review, tunnels, core: loop.core)
        }
    }

    func tunnelHasEnded(_ exchange: any Exchange) { tunnels?.note("ended") }

    func respond(to exchange: any Exchange) async {
        do throws(ExchangeFailure) {
            try await exchange.forward(
                Forwarding(
                    target: target, edits: FieldEdits(), review: review, pool: pool,
                    requestID: RequestID(1)))
        } catch {
            guard exchange.account.status == 0 else { return }
            await exchange.send(Response(error.status, contentType: "text/plain", error.word))
        }
    }

    func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async {
        await exchange.send(Response(failure.status))
    }
}
