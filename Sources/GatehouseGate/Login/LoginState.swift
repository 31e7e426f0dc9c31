import GatehouseBase
import GatehouseOIDC

/// A login in progress, sealed into the `state` that goes through the browser: nothing about an
/// anonymous visitor is kept here, and the target is neither read nor changed on the way.
///
///     version 2 | transaction 8 | created 8 | flags 1 | restarts 1 | issuer 8 | host 1+n | target
struct LoginState: Equatable {
    /// The transaction's id; its cookie bears the name of it.
    var transaction: [UInt8]
    /// Whole milliseconds, rounded down: a login that follows a logout at once must be seen to.
    var created: Timestamp
    /// Which provider: the first bytes of the issuer's digest.
    var issuer: [UInt8]
    var host: String
    var target: String
    /// How often this login has started again; counted here for browsers that keep no cookies.
    var restarts: Int
    /// The person is asked for the password again, whatever the provider's cookie says.
    var asksAgain: Bool

    private static let version: UInt8 = 2
    private static let purpose = Array("gatehouse login state".utf8)
    static let transactionSize = 8

    /// The issuer as it stands in a state.
    static func tag(issuer: String) -> [UInt8] {
        Array(Crypto.sha256(Array(issuer.utf8)).prefix(8))
    }

    /// The state parameter.
    ///
    /// - Parameters:
    ///   - keys: the first seals.
    ///   - maximum: characters; above it the target is cut to its path, then to `/`.
    func sealed(with keys: [Secret], maximum: Int) -> String {
        let fixed = AEAD.overhead + 28 + host.utf8.count
        var state = self
        state.target = ReturnTarget.fitted(
            target, to: min(ReturnTarget.maximum, maximum * 3 / 4 - fixed))
        let nonce = Secret.random(count: AEAD.nonceSize).reveal()
        return Base64URL.encode(
            AEAD(key: keys[0]).seal(
                state.encoded(), nonce: nonce, additionalData: LoginState.purpose))
    }

    /// Reads a state parameter; nil where it is not one that we sealed.
    static func open(_ text: String, with keys: [Secret]) -> LoginState? {
        guard text.utf8.count <= 4096, let sealed = Base64URL.decode(text) else { return nil }
        for key in keys {
            if let bytes = AEAD(key: key).open(sealed, additionalData: purpose) {
                return LoginState(decoding: bytes)
            }
        }
        return nil
    }

    private func encoded() -> [UInt8] {
        let milliseconds = UInt64(max(0, (created.seconds * 1000).rounded()))
        var bytes = [LoginState.version] + transaction
        bytes += (0..<8).map { UInt8(truncatingIfNeeded: milliseconds >> UInt64(56 - 8 * $0)) }
        bytes += [asksAgain ? 1 : 0, UInt8(clamping: restarts)]
        bytes += issuer
        bytes.append(UInt8(clamping: host.utf8.count))
        bytes += Array(host.utf8.prefix(255))
        return bytes + Array(target.utf8)
    }

    private init?(decoding bytes: [UInt8]) {
        guard bytes.count >= 28, bytes[0] == LoginState.version,
            bytes.count >= 28 + Int(bytes[27])
        else { return nil }
        transaction = Array(bytes[1..<9])
        created = Timestamp(
            milliseconds: Int64(
                truncatingIfNeeded: bytes[9..<17].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }))
        asksAgain = bytes[17] & 1 != 0
        restarts = Int(bytes[18])
        issuer = Array(bytes[19..<27])
        let end = 28 + Int(bytes[27])
        host = String(decoding: bytes[28..<end], as: UTF8.self)
        target = String(decoding: bytes[end...], as: UTF8.self)
    }

    init(
        transaction: [UInt8], created: Timestamp, issuer: [UInt8], host: String, target: String,
        restarts: Int, asksAgain: Bool
    ) {
        self.transaction = transaction
        self.created = Timestamp(milliseconds: created.milliseconds)
        self.issuer = issuer
        self.host = host
        self.target = target
        self.restarts = restarts
        self.asksAgain = asksAgain
    }
}
