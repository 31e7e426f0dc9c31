/// Who a rule lets in.
public indirect enum AllowExpression: Sendable, Hashable {
    /// Everybody, without signing in.
    case anyone
    /// Whoever has signed in.
    case signedIn
    /// Nobody.
    case deny
    /// The user of this name (`preferred_username`).
    case user(String)
    /// The members of this group (`groups`), as the provider writes it: with Keycloak `/staff`.
    case group(String)
    /// Those with this role of the realm (`realm_access.roles`).
    case realmRole(String)
    /// Those with this role of this client (`resource_access.CLIENT.roles`).
    case clientRole(client: String, role: String)
    /// The user whose name (`preferred_username`) is this segment of the path, counted from 1. A
    /// path without that segment lets nobody in.
    case pathUser(segment: Int)
    /// Whoever one of these lets in; never empty.
    case any([AllowExpression])
    /// Whoever all of these let in; never empty.
    case all([AllowExpression])

    /// Whether it can only be judged of somebody who has signed in.
    public var needsSession: Bool {
        switch self {
        case .anyone, .deny: false
        case .signedIn, .user, .group, .realmRole, .clientRole, .pathUser: true
        case .any(let parts), .all(let parts): parts.contains { $0.needsSession }
        }
    }
}
