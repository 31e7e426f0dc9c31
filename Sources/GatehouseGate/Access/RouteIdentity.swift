/// What the gate knows of a route: which identity fields its requests carry, and whether it leads to
/// an application that is known here. One object per route and configuration:
/// what was computed for it is remembered by its identity.
public final class RouteIdentity: Sendable {
    /// `name` is a field's, `claim` one of the ID token (`realm_access.roles` for a nested one).
    public let identityHeaders: [(name: String, claim: String)]
    /// Where the route leads to JupyterHub.
    public let hub: HubPreset?

    public init(identityHeaders: [(name: String, claim: String)], hub: HubPreset? = nil) {
        self.identityHeaders = identityHeaders
        self.hub = hub
    }
}
