import GatehouseGate
import GatehouseProxy

/// What is done with the requests of a route. Most routes of the API share one.
final class RouteRules: Sendable {
    let identity: RouteIdentity
    /// nil where the target of requests stays.
    let rewriting: TargetRewriting?

    init(identity: RouteIdentity, rewriting: TargetRewriting) {
        self.identity = identity
        self.rewriting = rewriting.isEmpty ? nil : rewriting
    }

    private init() {
        // User servers and services are other people's code: who a user is they are not told.
        identity = RouteIdentity(identityHeaders: [])
        rewriting = nil
    }

    /// Nothing: of a route whose requests go as they are.
    static let plain = RouteRules()
}
