import GatehouseBase

/// Whom JupyterHub names for a token.
public enum HubBearer: Sendable, Equatable {
    case user(String)
    /// One of the Hub's services, which is nobody's.
    case service(String)

    /// What log lines call it.
    public var kind: StaticString {
        switch self {
        case .user: "user"
        case .service: "service"
        }
    }

    public var name: String {
        switch self {
        case .user(let name), .service(let name): name
        }
    }
}

/// What JupyterHub says of a token (`GET …/api/user`).
enum HubTokenReading: Equatable {
    /// Somebody made it to be used without a browser.
    case api(HubBearer)
    /// It hangs on a browser's session, as JupyterLab's does, and comes from a cookie.
    case ofSession(HubBearer, id: [UInt8])

    /// Reads an answer; nil for anything that JupyterHub 2 and later would not say: the members
    /// that matter are there and are what they have always been.
    init?(_ body: [UInt8]) {
        let parsed = try? JSONValue.parse(body, maximumSize: body.count, maximumDepth: 64)
        guard let members = parsed?.object, let name = members["name"]?.string, !name.isEmpty
        else { return nil }
        let bearer: HubBearer
        switch members["kind"]?.string {
        case "user": bearer = .user(name)
        case "service": bearer = .service(name)
        default: return nil
        }
        // Since JupyterHub 5; without one it was something else that let us in.
        if let id = members["token_id"], id.string == nil { return nil }
        switch members["session_id"] {
        case .null: self = .api(bearer)
        case .string(let id): self = .ofSession(bearer, id: Array(id.utf8))
        default: return nil
        }
    }
}
