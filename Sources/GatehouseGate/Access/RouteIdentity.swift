/// Which identity fields the requests of one route carry. One object per route and configuration:
/// what was computed for it is remembered by its identity.
public final class RouteIdentity: Sendable {
    /// `name` is a field's, `claim` one of the ID token (`realm_access.roles` for a nested one).
    public let identityHeaders: [(name: String, claim: String)]

    public init(identityHeaders: [(name: String, claim: String)]) {
        self.identityHeaders = identityHeaders
    }
}
