import GatehouseBase

/// Who a rule lets in.
public indirect enum AccessExpression: Sendable, Equatable {
    /// Everybody, without signing in.
    case anyone
    /// Whoever has signed in.
    case signedIn
    /// Nobody.
    case deny
    /// The user of this name (`preferred_username`).
    case user(String)
    /// The members of this group (`groups`).
    case group(String)
    /// Those with this role of the realm (`realm_access.roles`).
    case realmRole(String)
    /// Those with this role of this client (`resource_access.CLIENT.roles`).
    case clientRole(client: String, role: String)
    /// The user whose name is this segment of the path, counted from 1.
    case pathUser(segment: Int)
    /// Whoever one of these lets in.
    case any([AccessExpression])
    /// Whoever all of these let in; an empty list lets nobody in.
    case all([AccessExpression])

    /// Whether the answer depends on the path and not only on who asks.
    var readsPath: Bool {
        switch self {
        case .pathUser: true
        case .any(let parts), .all(let parts): parts.contains { $0.readsPath }
        default: false
        }
    }

    /// Judges somebody who has signed in.
    ///
    /// - Parameters:
    ///   - claims: who it is.
    ///   - readings: of the path (``PathReading/readings(of:)``, or the one of a plain path);
    ///     looked at for ``pathUser(segment:)`` only, and all of them must agree.
    func allows(_ claims: Claims, readings: [PathSegments]) -> Bool {
        switch self {
        case .anyone, .signedIn: return true
        case .deny: return false
        case .user(let name): return claims.username.map { sameBytes($0, name) } ?? false
        case .group(let name): return claims.groups.contains { sameBytes($0, name) }
        case .realmRole(let name): return claims.realmRoles.contains { sameBytes($0, name) }
        case .clientRole(let client, let role):
            return claims.clientRoles[client]?.contains { sameBytes($0, role) } ?? false
        case .pathUser(let segment):
            guard let name = claims.username else { return false }
            return AccessExpression.isSegment(segment, of: readings, name)
        case .any(let parts): return parts.contains { $0.allows(claims, readings: readings) }
        case .all(let parts):
            return !parts.isEmpty && parts.allSatisfy { $0.allows(claims, readings: readings) }
        }
    }
    /// Judges who bears a token of JupyterHub's. The Hub says who that is and no more: what the
    /// provider would say of them is not known, and counts as no.
    ///
    /// - Parameter readings: as for ``allows(_:readings:)-(Claims,_)``.
    func allows(_ bearer: HubBearer, readings: [PathSegments]) -> Bool {
        switch self {
        case .anyone, .signedIn: return true
        case .deny, .user, .group, .realmRole, .clientRole: return false
        case .pathUser(let segment):
            guard case .user(let name) = bearer else { return false }
            return AccessExpression.isSegment(segment, of: readings, name)
        case .any(let parts): return parts.contains { $0.allows(bearer, readings: readings) }
        case .all(let parts):
            return !parts.isEmpty && parts.allSatisfy { $0.allows(bearer, readings: readings) }
        }
    }

    /// Whether that segment is the name in all readings of a path.
    private static func isSegment(
        _ segment: Int, of readings: [PathSegments], _ name: String
    ) -> Bool {
        guard segment > 0, !readings.isEmpty else { return false }
        let name = Array(name.utf8)
        return readings.allSatisfy { $0.has(name, at: segment - 1) }
    }
}
