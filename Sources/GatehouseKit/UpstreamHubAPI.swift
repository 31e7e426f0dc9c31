import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy

/// How the gate asks JupyterHub about a token: over Proxy's upstream connection, on the control
/// loop, which knows all routes.
final class UpstreamHubAPI: HubAPI {
    private let loop: EventLoop
    private let resolver: Resolver

    init(loop: EventLoop, resolver: Resolver) {
        self.loop = loop
        self.resolver = resolver
    }

    func user(
        _ request: HubAPIRequest
    ) async throws(BackChannelError) -> BackChannelResponse {
        let resolver = resolver
        let result: Result<BackChannelResponse, BackChannelError> = await loop.run { loop in
            let deadline = Instant.now() + request.timeout
            guard let control = loop.attachment as? ControlState,
                let api = control.blueprint.hubAPI(host: request.host, control.routes.all),
                let target = api.target.hasty(request.timeout)
            else { return .failure(.unreachable) }
            let limits = control.blueprint.configuration.limits
            let pool = UpstreamPool(core: loop.core, resolver: resolver, limits: limits)
            var head = RequestHead(
                "GET", target: api.path + "/user", authority: target.authority)
            head.fields.append(.authorization, "token " + request.token.revealText())
            head.fields.append("Accept-Encoding", "identity")
            return await UpstreamBackChannel.ask(
                head, body: nil, target, pool, limits, deadline: deadline,
                maximumBody: request.maximumBody)
        }
        return try result.get()
    }
}

extension UpstreamTarget {
    /// The same server, to be reached within `time`.
    fileprivate func hasty(_ time: Duration) -> UpstreamTarget? {
        if let socketPath { return UpstreamTarget(socketPath: socketPath, connectTimeout: time) }
        return UpstreamTarget(host: host, port: port, tls: tls, connectTimeout: time)
    }
}
