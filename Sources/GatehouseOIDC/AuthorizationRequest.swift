import GatehouseBase

/// Where the browser goes to sign in (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).
///
/// Everything in it comes from the configuration or from this login; nothing from the request that
/// started it.
public struct AuthorizationRequest: Sendable {
    public var clientID: String
    public var redirectURI: String
    /// `openid` is added where it is not there.
    public var scopes: [String]
    public var state: String
    public var nonce: String
    /// S256.
    public var codeChallenge: String
    /// `login`, where the person must be asked again.
    public var prompt: String?
    public var acrValues: String?
    /// Keycloak's `kc_idp_hint`.
    public var identityProviderHint: String?

    public init(
        clientID: String, redirectURI: String, scopes: [String], state: String, pkce: PKCE,
        prompt: String? = nil, acrValues: String? = nil, identityProviderHint: String? = nil
    ) {
        self.clientID = clientID
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.state = state
        nonce = pkce.nonce
        codeChallenge = pkce.challenge
        self.prompt = prompt
        self.acrValues = acrValues
        self.identityProviderHint = identityProviderHint
    }

    /// The URL, for a `Location`.
    ///
    /// - Parameter endpoint: of the provider's metadata; its own query is kept.
    public func url(endpoint: String) -> String {
        let scope = (scopes.contains("openid") ? scopes : ["openid"] + scopes)
            .joined(separator: " ")
        var fields = [
            ("response_type", "code"), ("client_id", clientID), ("redirect_uri", redirectURI),
            ("scope", scope), ("state", state), ("nonce", nonce),
            ("code_challenge", codeChallenge), ("code_challenge_method", "S256"),
        ]
        if let prompt { fields.append(("prompt", prompt)) }
        if let acrValues { fields.append(("acr_values", acrValues)) }
        if let identityProviderHint { fields.append(("kc_idp_hint", identityProviderHint)) }
        return EndpointURL.append(fields, to: endpoint)
    }
}
