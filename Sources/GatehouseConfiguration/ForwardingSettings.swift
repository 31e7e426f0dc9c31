/// `forwarding`: what is changed in requests and answers on their way.
public struct ForwardingSettings: Sendable, Hashable {
    /// What becomes of X-Forwarded-… and their kin.
    public enum ForwardedFields: String, Sendable, Hashable, CaseIterable {
        /// One value each, ours; a client's are removed.
        case replace
        /// Ours behind the client's, as configurable-http-proxy does.
        case append
        /// A client's pass as they are; none is ours.
        case pass
    }

    /// What a client hears of an upstream that fails.
    public enum UpstreamFailures: Sendable, Hashable {
        /// 502, and 504 where it is late.
        case gateway
        /// 503 always.
        case unavailable
    }

    /// A field that is set in requests to upstreams.
    public struct Field: Sendable, Hashable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Pages in place of ours for 404, 503 and the like; at most one of the two.
    public struct ErrorPages: Sendable, Hashable {
        /// A directory with `404.html`, `503.html`, `error.html`.
        public var directory: String?
        /// A URL below which `404` or `503` is asked for, with `?url=` for the request's.
        public var target: String?

        public init() {}
    }

    public var forwardedFields = ForwardedFields.replace
    /// `prepend_path`: the target's path comes before the request's.
    public var prependPath = true
    /// `include_prefix`: the route's prefix stays in the request's path.
    public var includePrefix = true
    /// `change_origin`: Host is the target's.
    public var changeOrigin = false
    /// `auto_rewrite`: the target's host in Location becomes the request's.
    public var autoRewrite = false
    /// `protocol_rewrite`: the scheme of such a Location; nil leaves it.
    public var protocolRewrite: String?
    /// `request_fields`: win over the client's and over ours.
    public var requestFields: [Field] = []
    public var errorPages = ErrorPages()
    public var upstreamFailures = UpstreamFailures.gateway
    /// No byte in either direction of the client's connection for so long, while a request runs:
    /// it is closed without an answer. Nil for no limit. WebSockets have none.
    public var exchangeIdle: Duration?

    public init() {}
}
