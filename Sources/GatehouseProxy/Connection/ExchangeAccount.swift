public import GatehouseBase
public import GatehouseHTTP

/// What the access log tells of one exchange.
public struct ExchangeAccount: Sendable {
    /// When the head was complete.
    public var began = Instant.never
    /// When the upstream was connected, or taken from the pool.
    public var connected: Instant?
    /// When the upstream's answer began.
    public var answered: Instant?
    /// The status sent; 0: none.
    public var status = 0
    /// Bytes of the request's body that were read.
    public var received = 0
    /// Bytes of the response's body that were written.
    public var sent = 0
    public var isUpgraded = false
    public var endCause: EndCause?
    public var failure: ExchangeFailure?

    public init() {}
}
