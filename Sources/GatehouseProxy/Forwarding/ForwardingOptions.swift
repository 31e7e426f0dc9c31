import GatehouseHTTP

/// What is the same for all requests that a gateway forwards.
public final class ForwardingOptions: Sendable {
    /// What becomes of X-Forwarded-… and their kin.
    public enum ForwardedFields: Sendable {
        /// One value each, ours; a client's are removed.
        case replace
        /// Ours behind the client's, with a comma.
        case append
        /// A client's pass; none is ours.
        case pass
    }

    /// What a Location becomes that names the target (RFC 9110 §10.2.2).
    public struct LocationRewriting: Sendable {
        /// The request's host in place of the target's.
        public var host: Bool
        /// The scheme to write; nil leaves it.
        public var scheme: String?

        public init(host: Bool, scheme: String?) {
            self.host = host
            self.scheme = scheme
        }
    }

    public let forwardedFields: ForwardedFields
    /// Whether Host is the target's.
    public let changesOrigin: Bool
    /// nil: Location passes.
    public let location: LocationRewriting?
    /// Fields that win over the client's and over ours.
    let requestFields: Fields
    let requestFieldNames: OwnedNames
    let setsHost: Bool

    public init(
        forwardedFields: ForwardedFields = .replace, changesOrigin: Bool = false,
        location: LocationRewriting? = nil, requestFields: [(name: String, value: String)] = []
    ) {
        self.forwardedFields = forwardedFields
        self.changesOrigin = changesOrigin
        self.location = location
        var fields = Fields()
        for (name, value) in requestFields { fields.append(name, value) }
        self.requestFields = fields
        requestFieldNames = OwnedNames(requestFields.map(\.name))
        setsHost = fields.firstIndex(of: .host) != nil
    }
}
