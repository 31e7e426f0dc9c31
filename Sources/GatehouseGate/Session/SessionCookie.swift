import GatehouseBase
import GatehouseOIDC

/// The value of a session's cookie: `<id>.<secret>`, 16 and 32 random bytes in base64url.
///
/// The store knows the id under an HMAC and the secret as a digest: neither guessing nor a leaked
/// list of the store gives a session.
struct SessionCookie {
    static let idSize = 16
    static let secretSize = 32
    /// Characters of a value.
    static let length = 22 + 1 + 43

    let id: [UInt8]
    let secret: Secret

    /// A new one.
    init() {
        id = Secret.random(count: SessionCookie.idSize).reveal()
        secret = Secret.random(count: SessionCookie.secretSize)
    }

    /// Reads a value; nil for anything that is not exactly one.
    init?(parsing value: borrowing Span<UInt8>) {
        guard value.count == SessionCookie.length, value[22] == UInt8(ascii: ".") else {
            return nil
        }
        let bytes = value.array
        guard let id = Base64URL.decode(bytes[..<22]), let secret = Base64URL.decode(bytes[23...])
        else { return nil }
        self.id = id
        self.secret = Secret(secret)
    }

    /// The value, for a Set-Cookie.
    var value: Secret {
        Secret(Base64URL.encode(id) + "." + Base64URL.encode(secret.reveal()))
    }

    /// What the store keeps of the secret.
    var digest: [UInt8] { Crypto.sha256(secret.reveal()) }
}
