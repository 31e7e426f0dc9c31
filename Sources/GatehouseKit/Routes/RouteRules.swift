import GatehouseGate
import GatehouseProxy

/// What is done with the requests of a route. Most routes of the API share one.
final class RouteRules: Sendable {
    let identity: RouteIdentity
    /// nil where the target of requests stays.
    let rewriting: TargetRewriting?
    /// Bytes that a request's body may have; nil for no limit.
    let maximumBody: Int?
    /// Whether JupyterLab reads what clients hear of a failing upstream: 502 would be a dead kernel.
    let isJupyterHub: Bool

    init(
        identity: RouteIdentity, rewriting: TargetRewriting = TargetRewriting(),
        maximumBody: Int? = nil, isJupyterHub: Bool = false
    ) {
        self.identity = identity
        self.rewriting = rewriting.isEmpty ? nil : rewriting
        self.maximumBody = maximumBody
        self.isJupyterHub = isJupyterHub
    }

    /// The same for a route whose requests' target changes.
    func rewriting(_ rewriting: TargetRewriting) -> RouteRules {
        rewriting.isEmpty
            ? self
            : RouteRules(
                identity: identity, rewriting: rewriting, maximumBody: maximumBody,
                isJupyterHub: isJupyterHub)
    }
}
