public import GatehouseBase

/// What one login derives from the random bytes in its cookie (RFC 7636, method S256 only).
///
/// Nothing of it is stored: the callback derives it again from the same cookie.
public struct PKCE: Sendable {
    /// Goes to the token endpoint; 64 characters.
    public let verifier: Secret
    /// Goes through the browser.
    public let challenge: String
    /// Comes back in the ID token; 43 characters.
    public let nonce: String

    /// - Parameter transaction: 32 random bytes of this login alone.
    public init(transaction: Secret) {
        let text = Base64URL.encode(
            Crypto.hkdfSHA256(transaction, info: "pkce", length: 48).reveal())
        verifier = Secret(text)
        challenge = Base64URL.encode(Crypto.sha256(Array(text.utf8)))
        nonce = Base64URL.encode(
            Crypto.hkdfSHA256(transaction, info: "nonce", length: 32).reveal())
    }
}
