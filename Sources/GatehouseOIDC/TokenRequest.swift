public import GatehouseBase

/// A POST to the token endpoint.
///
/// A code is redeemed once, also where the answer got lost: a second time makes Keycloak drop the
/// client's session, and no logout is told to us any more.
public struct TokenRequest: Sendable {
    /// The value of `Content-Type`.
    public static let contentType = "application/x-www-form-urlencoded"

    /// The value of `Authorization`.
    public let authorization: Secret
    /// The form.
    public let body: Secret

    /// Redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
    public init(
        code: Secret, redirectURI: String, verifier: Secret, credentials: ClientCredentials
    ) {
        authorization = credentials.authorization
        body = Secret(
            FormFields.encode([
                ("grant_type", "authorization_code"), ("code", code.revealText()),
                ("redirect_uri", redirectURI), ("code_verifier", verifier.revealText()),
            ]))
    }
}
