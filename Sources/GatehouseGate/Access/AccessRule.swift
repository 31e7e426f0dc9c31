/// One of the ordered rules that say who may enter; the first that matches decides.
public struct AccessRule: Sendable, Equatable {
    /// In lower case and without port; nil for any.
    public var host: String?
    public var pattern: PathPattern
    /// Compared with case; nil for all.
    public var methods: [String]?
    public var allow: AccessExpression

    public init(
        host: String? = nil, pattern: PathPattern, methods: [String]? = nil,
        allow: AccessExpression
    ) {
        self.host = host
        self.pattern = pattern
        self.methods = methods
        self.allow = allow
    }
}
