/// One of `routes`: which requests go to which upstream.
///
/// The longest path prefix by whole segments wins, and one with a host before one without.
public struct RouteSettings: Sendable, Hashable {
    /// The host of requests, in lower case and without port; nil for any.
    public var host: String?
    /// The prefix: begins with `/` and ends in `/` only where it is `/`.
    public var path: String
    public var upstream: UpstreamSettings
    /// Merged over ``Configuration/identityHeaders`` by name; nil removes one.
    public var identityHeaders: [String: String?]

    public init(
        host: String? = nil, path: String, upstream: UpstreamSettings,
        identityHeaders: [String: String?] = [:]
    ) {
        self.host = host
        self.path = path
        self.upstream = upstream
        self.identityHeaders = identityHeaders
    }
}
