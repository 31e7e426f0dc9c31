public import GatehouseBase
public import GatehouseHTTP

/// How a request came to a public listener.
public struct Arrival: Sendable {
    /// The client's address as text, without port: for logs and rates.
    public var peer: String
    /// Over TLS, or through a trusted front that says `https`.
    public var isTLS: Bool
    /// Whether a trusted front has handed it over.
    public var front: FrontWord
    /// When the head was whole.
    public var now: Instant

    public init(peer: String, isTLS: Bool, now: Instant, front: FrontWord = .none) {
        self.front = front
        self.peer = peer
        self.isTLS = isTLS
        self.now = now
    }
}
