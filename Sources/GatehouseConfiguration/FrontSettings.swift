public import GatehouseBase

/// `listeners.front`: what stands before a public listener, and whose word is taken about where
/// requests come from.
public struct FrontSettings: Sendable, Hashable {
    /// How a front tells the client's address and scheme. The other profiles of the design are
    /// not built yet.
    public enum Profile: String, Sendable, Hashable, CaseIterable {
        /// Nothing stands before it: nobody's word is taken.
        case none
        /// X-Forwarded-For, right to left past trusted hops; X-Forwarded-Proto or X-Scheme.
        case nginx
        /// CF-Connecting-IP and X-Forwarded-Proto.
        case cloudflareTunnel = "cloudflare-tunnel"
        /// Forwarded (RFC 7239).
        case forwarded
    }

    public var profile = Profile.none
    /// Networks whose peers are the front; empty for nobody, loopback included.
    public var trusted: [Network] = []
    /// Whether peers that come through a UNIX socket are the front.
    public var trustsUnixSocket = false

    public init() {}
}
