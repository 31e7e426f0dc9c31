public import GatehouseBase

/// Where a request came from before it came to a trusted front, in the front's words.
public struct ClientOrigin: Sendable, Equatable {
    /// nil where the front names none: then the peer counts.
    public var address: IPAddress?
    /// Whether the browser came by `https`; nil where the front does not say.
    public var isHTTPS: Bool?
    /// The host that the browser asked for, where the front rewrote Host.
    public var host: [UInt8]?

    public init(address: IPAddress? = nil, isHTTPS: Bool? = nil, host: [UInt8]? = nil) {
        self.address = address
        self.isHTTPS = isHTTPS
        self.host = host
    }
}

/// Whether a trusted front has handed a request over.
public enum FrontWord: Sendable, Equatable {
    /// The peer is nobody's front: what it says about others counts for nothing.
    case none
    /// A front that says by which scheme the browser came.
    case withScheme
    /// A front that does not.
    case withoutScheme
}
