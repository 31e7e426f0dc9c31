/// What the gate wants changed in a request on its way upstream. Made by Gate, applied by Proxy.
public struct FieldEdits: Sendable {
    /// Configured identity names: removed in every spelling, besides those never taken from
    /// clients, before ``set`` is added.
    public var identityNames: OwnedNames
    /// Our identity fields for this request.
    public var set: Fields
    /// Which cookies go along, besides ours, which never do.
    public var cookies = Cookies.all
    /// Whether Authorization stays here, in every spelling.
    public var dropsAuthorization = false
    /// The request's target in place of the client's, where it holds what no upstream may see.
    public var target: [UInt8]?

    /// Cookies of a request on their way upstream.
    public enum Cookies: Sendable {
        case all
        case none
        case screened(any CookieScreen)
    }

    public init(identityNames: OwnedNames = OwnedNames([]), set: Fields = Fields()) {
        self.identityNames = identityNames
        self.set = set
    }
}
