public import GatehouseBase
public import GatehouseHTTP

/// What the connections of a listener have in common: each keeps a reference, because limits alone
/// are half a kilobyte.
public final class ConnectionSettings: Sendable {
    /// The port that browsers use.
    let publicPort: UInt16
    let limits: Limits
    let parser: HeadParser
    let forwarding: ForwardingOptions
    /// How long an idle connection is kept.
    let keepAliveIdle: Duration

    /// nil where nobody's word is taken about where requests come from.
    let front: FrontReader?

    /// No byte in either direction for so long while a request runs ends its connection.
    let exchangeIdle: Duration?

    /// - Parameters:
    ///   - keepAliveIdle: nil for the limit.
    ///   - front: reads what trusted peers say.
    ///   - isLocal: of a UNIX socket; its clients put the socket's path into Host.
    public init(
        publicPort: UInt16, limits: Limits, forwarding: ForwardingOptions = ForwardingOptions(),
        keepAliveIdle: Duration? = nil, exchangeIdle: Duration? = nil, isLocal: Bool = false,
        front: FrontReader? = nil
    ) {
        self.front = front
        self.exchangeIdle = exchangeIdle
        self.forwarding = forwarding
        self.keepAliveIdle = keepAliveIdle ?? limits.keepAliveIdle
        self.publicPort = publicPort
        self.limits = limits
        parser = .requests(limits, hostMayBeEscaped: isLocal)
    }
}
