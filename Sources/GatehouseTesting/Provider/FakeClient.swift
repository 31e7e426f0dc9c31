/// An application that a ``FakeProvider`` knows.
public struct FakeClient: Sendable {
    public var id: String
    public var secret: String
    /// Compared byte for byte.
    public var redirectURIs: [String]
    /// Compared byte for byte.
    public var postLogoutRedirectURIs: [String]
    /// Where logout tokens go; nil: nowhere.
    public var backChannelLogoutURL: String?
    /// Whether logout tokens hold a `sid` beside the `sub`.
    public var backChannelSession = true

    public init(
        _ id: String, secret: String, redirectURIs: [String],
        postLogoutRedirectURIs: [String] = [], backChannelLogoutURL: String? = nil
    ) {
        self.id = id
        self.secret = secret
        self.redirectURIs = redirectURIs
        self.postLogoutRedirectURIs = postLogoutRedirectURIs
        self.backChannelLogoutURL = backChannelLogoutURL
    }

    /// A gateway with these public origins, with the addresses that Gatehouse has everywhere.
    ///
    /// - Parameters:
    ///   - origins: such as `https://localhost:8443`.
    ///   - backChannel: the origin that the provider reaches; nil: the first of `origins`.
    public static func gateway(
        _ id: String, secret: String, origins: [String], backChannel: String? = nil
    ) -> FakeClient {
        FakeClient(
            id, secret: secret, redirectURIs: origins.map { $0 + "/.gatehouse/callback" },
            postLogoutRedirectURIs: origins.map { $0 + "/.gatehouse/logged-out" },
            backChannelLogoutURL: (backChannel ?? origins.first).map {
                $0 + "/.gatehouse/backchannel-logout"
            })
    }

    /// A JupyterHub at `/` of this origin, which asks who its user is.
    public static func jupyterHub(_ id: String, secret: String, origin: String) -> FakeClient {
        FakeClient(id, secret: secret, redirectURIs: [origin + "/hub/oauth_callback"])
    }
}
