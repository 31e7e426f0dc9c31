public import GatehouseBase

extension Gate {
    /// What the configuration says to the gate; replaced as a whole on reload.
    public struct Options: Sendable {
        /// The origins that are served; the first is the default. Empty: any host.
        public var publicURLs: [Origin]
        public var access: [AccessRule]
        public var session: SessionLimits
        public var limits: Limits
        /// Every identity field of every route: never taken from a client, on any route.
        public var identityNames: [String]
        /// Whether back-channel logout is served on public listeners.
        public var publicBackChannel: Bool
        /// Bytes of all identity fields of a request, with names; above it the request fails.
        public var identityFieldBytes: Int

        public init(
            publicURLs: [Origin], access: [AccessRule], session: SessionLimits = SessionLimits(),
            limits: Limits = Limits(), identityNames: [String] = [],
            publicBackChannel: Bool = true, identityFieldBytes: Int = 8192
        ) {
            self.publicURLs = publicURLs
            self.access = access
            self.session = session
            self.limits = limits
            self.identityNames = identityNames
            self.publicBackChannel = publicBackChannel
            self.identityFieldBytes = identityFieldBytes
        }
    }
}
