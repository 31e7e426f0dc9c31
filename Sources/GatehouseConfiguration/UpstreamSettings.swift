public import GatehouseBase

/// A server that requests are forwarded to: one of `upstreams`, or a route's bare URL.
public struct UpstreamSettings: Sendable, Hashable {
    /// How an `https` upstream is verified. Whatever weakens it has `insecure` in its name.
    public struct TLS: Sendable, Hashable {
        /// A PEM file with the authorities to trust beside those of the system.
        public var caFile: String?
        /// The name that is asked for and verified in place of the URL's host.
        public var serverName: String?
        /// Takes any certificate of anybody.
        public var insecureSkipVerify: Bool
        /// PEM files with our certificate and its key, for upstreams that ask for one.
        public var certificate: String?
        public var key: String?
        /// Whether the authorities of the system are trusted beside those of ``caFile``.
        public var trustsSystem = true
        /// Versions and ciphers as of a listener; nil for ours.
        public var minimum: ListenerTLSSettings.Version?
        public var maximum: ListenerTLSSettings.Version?
        public var ciphers: String?

        /// Whether all that it needs stands here.
        public var namesNoFile: Bool { caFile == nil && certificate == nil && key == nil }

        public init(
            caFile: String? = nil, serverName: String? = nil, insecureSkipVerify: Bool = false
        ) {
            self.caFile = caFile
            self.serverName = serverName
            self.insecureSkipVerify = insecureSkipVerify
        }
    }

    /// The key below `upstreams`, or the URL itself for a route's bare URL.
    public var name: String
    /// Scheme, host and port; there is no path.
    public var url: Origin
    /// For TCP and TLS together; the limit `connect_time` where nothing else is written.
    public var connectTimeout: Duration
    /// From the end of the request to the first byte of the answer; nil for no limit.
    public var firstByteTimeout: Duration?
    /// `response_idle`: no byte of an answer that has begun for so long; nil for no limit.
    public var responseIdle: Duration?
    /// `max_connections`, of all loops together; nil for no limit.
    public var maximumConnections: Int?
    public var tls: TLS

    public init(
        name: String, url: Origin, connectTimeout: Duration = Limits().connectTime,
        firstByteTimeout: Duration? = nil, tls: TLS = TLS()
    ) {
        self.name = name
        self.url = url
        self.connectTimeout = connectTimeout
        self.firstByteTimeout = firstByteTimeout
        self.tls = tls
    }

    /// Whether this stands below `upstreams`.
    public var isNamed: Bool { !name.utf8.contains(UInt8(ascii: ":")) }
}
