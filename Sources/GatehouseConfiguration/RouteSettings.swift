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
    /// `preset`; nil where it was not written: the command decides, or a covering route.
    public var preset: RoutePreset?
    /// `max_body`: bytes of a request's body; nil for no limit.
    public var maximumBody: Int?

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
