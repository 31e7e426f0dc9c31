/// One of `listeners`: an address and what is served there.
public struct ListenerSettings: Sendable, Hashable {
    /// What a listener serves. The other roles of the design are not built yet.
    public enum Role: String, Sendable, Hashable, CaseIterable {
        /// Routes, the browser's endpoints below `/.gatehouse`, health, back-channel logout.
        case `public`
    }

    /// `host:port` or `unix:/path`.
    public var address: ListenerAddress
    public var role: Role
    /// Nil for plain HTTP.
    public var tls: ListenerTLSSettings?

    public init(
        address: ListenerAddress, role: Role = .public, tls: ListenerTLSSettings? = nil
    ) {
        self.address = address
        self.role = role
        self.tls = tls
    }
}
