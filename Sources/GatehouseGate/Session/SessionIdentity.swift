public import GatehouseBase

/// Who a session belongs to, as the provider said at the last sign-in; never changed, replaced.
public final class SessionIdentity: Sendable {
    /// What access rules ask about.
    public let claims: Claims
    /// How the person proved who it is.
    public let acr: String?
    /// When the person last proved it.
    public let authTime: Timestamp?
    /// When this sign-in was.
    public let created: Timestamp
    /// Kept for the logout hint alone; an ID token is a key to a logout.
    public let idToken: Secret
    /// All claims of the ID token, for identity fields.
    public let tokenClaims: JSONValue

    public init(
        claims: Claims, acr: String?, authTime: Timestamp?, created: Timestamp, idToken: Secret,
        tokenClaims: JSONValue
    ) {
        self.claims = claims
        self.acr = acr
        self.authTime = authTime
        self.created = created
        self.idToken = idToken
        self.tokenClaims = tokenClaims
    }
}
