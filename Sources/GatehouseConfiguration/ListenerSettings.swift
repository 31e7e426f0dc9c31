public import GatehouseBase

/// One of `listeners`: an address and what is served there.
public struct ListenerSettings: Sendable, Equatable {
    /// What a listener serves. The other roles of the design are not built yet.
    public enum Role: String, Sendable, Hashable, CaseIterable {
        /// Routes, the browser's endpoints below `/.gatehouse`, health, back-channel logout.
        case `public`
        /// `/api/routes`, as JupyterHub speaks it.
        case api
        /// `/metrics`, `/healthz` and `/readyz`.
        case metrics

        /// Whether it is served beside the traffic, on a loop of its own.
        public var isControl: Bool { self != .public }
    }

    /// `host:port` or `unix:/path`.
    public var address: ListenerAddress
    public var role: Role
    /// Whether only programs of this machine reach it, through a UNIX socket.
    public var isLocal: Bool {
        if case .unix = address { true } else { false }
    }
    /// Nil for plain HTTP.
    public var tls: ListenerTLSSettings?
    /// `redirect_to_https`, of a public listener: nothing else is served then.
    public var redirect: HTTPSRedirect?
    /// What clients of an `api` listener must present; nil where it is open.
    public var token: Secret?
    /// Where ``token`` was read from: `token_file`.
    public var tokenFile: String?
    /// `front`, of a public listener.
    public var front = FrontSettings()
    /// How long an idle connection is kept; nil for the limit `keep_alive_idle`.
    public var keepAliveIdle: Duration?

    public init(
        address: ListenerAddress, role: Role = .public, tls: ListenerTLSSettings? = nil
    ) {
        self.address = address
        self.role = role
        self.tls = tls
    }
}
