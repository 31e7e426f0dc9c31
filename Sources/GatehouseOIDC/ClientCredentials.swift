public import GatehouseBase

/// Who we are at the token endpoint (RFC 6749 §2.3.1), as `client_secret_basic`.
public struct ClientCredentials: Sendable {
    public let clientID: String
    public let secret: Secret

    public init(clientID: String, secret: Secret) {
        self.clientID = clientID
        self.secret = secret
    }

    /// The value of the `Authorization` field; id and secret are form-encoded before base64.
    public var authorization: Secret {
        let pair = FormFields.encode(clientID) + ":" + FormFields.encode(secret.revealText())
        return Secret("Basic " + Base64.encode(Array(pair.utf8)))
    }
}
