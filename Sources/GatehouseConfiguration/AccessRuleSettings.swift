/// One rule of `access`. Rules are read in order, the first that matches decides, and where none
/// matches nobody is let in.
public struct AccessRuleSettings: Sendable, Hashable {
    /// The host of requests that this is about, in lower case and without port; nil for any.
    public var host: String?
    /// The paths that this is about.
    public var path: RulePath
    /// The methods that this is about, compared with case; nil for all.
    public var methods: [String]?
    /// Who is let in.
    public var allow: AllowExpression

    public init(
        host: String? = nil, path: RulePath, methods: [String]? = nil, allow: AllowExpression
    ) {
        self.host = host
        self.path = path
        self.methods = methods
        self.allow = allow
    }

    /// Whether every request that `other` is about is one that this is about too.
    public func covers(_ other: AccessRuleSettings) -> Bool {
        guard host == nil || host == other.host, path.covers(other.path) else { return false }
        guard let methods else { return true }
        guard let others = other.methods else { return false }
        return others.allSatisfy { methods.contains($0) }
    }
}
