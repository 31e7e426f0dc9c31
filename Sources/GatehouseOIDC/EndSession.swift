public import GatehouseBase

/// How the browser tells the provider to end its session (OpenID Connect RP-Initiated Logout 1.0).
public struct EndSession: Sendable {
    /// What to answer the browser with.
    public enum Answer: Sendable {
        /// A `Location`. It holds the ID token: never log it.
        case redirect(Secret)
        /// A page with a form that posts `fields` to `action`: the URL would be too long.
        case form(action: String, fields: [(name: String, value: Secret)])
    }

    /// Of the provider's metadata.
    public var endpoint: String
    public var clientID: String
    /// With it the provider does not ask the person again; an expired one is as good.
    public var idTokenHint: Secret?
    /// Registered at the provider, byte for byte.
    public var postLogoutRedirectURI: String
    /// Comes back to the page above.
    public var state: String?

    public init(
        endpoint: String, clientID: String, idTokenHint: Secret?, postLogoutRedirectURI: String,
        state: String?
    ) {
        self.endpoint = endpoint
        self.clientID = clientID
        self.idTokenHint = idTokenHint
        self.postLogoutRedirectURI = postLogoutRedirectURI
        self.state = state
    }

    /// A URL, or above 2 kB a form.
    public var answer: Answer {
        var fields: [(String, String)] = []
        if let idTokenHint { fields.append(("id_token_hint", idTokenHint.revealText())) }
        fields.append(("client_id", clientID))
        fields.append(("post_logout_redirect_uri", postLogoutRedirectURI))
        if let state { fields.append(("state", state)) }
        let url = EndpointURL.append(fields, to: endpoint)
        guard url.utf8.count > OIDCLimits.endSessionURL else { return .redirect(Secret(url)) }
        return .form(
            action: endpoint, fields: fields.map { (name: $0.0, value: Secret($0.1)) })
    }
}
