/// What is known of a token.
public enum TokenVerdict: Sendable, Equatable {
    case good(HubBearer)
    /// It hangs on a browser's session, which JupyterHub calls `id`.
    case ofSession(HubBearer, id: [UInt8])
    /// JupyterHub does not know it.
    case bad
    /// Its peer shows too many that nobody knows.
    case tooMany
    /// JupyterHub cannot say.
    case unavailable
}
