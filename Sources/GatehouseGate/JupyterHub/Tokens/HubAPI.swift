public import GatehouseBase

/// How the gate asks JupyterHub whose a token is. Kit implements it over an upstream connection of
/// its own.
public protocol HubAPI: Sendable {
    /// `GET …/api/user` with that very token; the whole answer, whatever its status.
    func user(_ request: HubAPIRequest) async throws(BackChannelError) -> BackChannelResponse
}

/// A question to JupyterHub.
public struct HubAPIRequest: Sendable {
    public let token: Secret
    /// The public host at which the token was shown.
    public let host: String
    /// For all of it: from the look-up of the name to the last byte of the answer.
    public let timeout: Duration
    /// Bytes of the answer's body; more is ``BackChannelError/tooLarge``.
    public let maximumBody: Int
}
