/// `routes[].preset`: an application that is known here.
public enum RoutePreset: String, Sendable, Hashable, CaseIterable {
    case none
    /// JupyterHub's: pins of its cookies, its log out, its pollers, its tokens, 503 in place of 502.
    case jupyterhub
}
