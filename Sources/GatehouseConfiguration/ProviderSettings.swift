public import GatehouseBase

/// `oidc`: the provider that people sign in with.
public struct ProviderSettings: Sendable, Equatable {
    /// The issuer exactly as the provider writes it in its tokens; `https`, or `http` on loopback.
    public var issuer: String
    public var clientID: String
    /// From `GATEHOUSE_OIDC_CLIENT_SECRET`, `client_secret_file` or `client_secret`.
    public var clientSecret: Secret
    /// The file that the secret was read from, if it was; read again on a reload.
    public var clientSecretFile: String?
    /// Where the gateway itself reaches the provider, in place of the issuer's URL: it replaces
    /// the issuer at the beginning of the endpoints that only the gateway calls.
    public var backchannelBaseURL: String?
    /// A PEM file with the authorities to trust for the provider in place of the system's.
    public var caFile: String?
    /// Asked for besides `openid profile email`.
    public var scopes: [String]

    public init(
        issuer: String, clientID: String, clientSecret: Secret, clientSecretFile: String? = nil,
        backchannelBaseURL: String? = nil, caFile: String? = nil, scopes: [String] = []
    ) {
        self.issuer = issuer
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.clientSecretFile = clientSecretFile
        self.backchannelBaseURL = backchannelBaseURL
        self.caFile = caFile
        self.scopes = scopes
    }
}
