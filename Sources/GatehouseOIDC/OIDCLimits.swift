/// Sizes of what a provider sends; the ones of whole answers are the caller's.
enum OIDCLimits {
    /// A compact JWS; Keycloak's for a user in 61 groups has 5.9 kB.
    static let token = 32 * 1024
    /// A logout token; Keycloak's has 0.9 kB.
    static let logoutToken = 16 * 1024
    /// Arrays and objects within each other in a token or an answer.
    static let depth = 16
    /// Keys of a JWK set that are looked at.
    static let keys = 64
    /// `sub` (OpenID Connect Core §2) and, for the same reason, `sid` and `jti`.
    static let identifier = 255
    /// A URL in the discovery document.
    static let url = 2048
    /// The URL of an end-session request, above which it becomes a form.
    static let endSessionURL = 2048
}
