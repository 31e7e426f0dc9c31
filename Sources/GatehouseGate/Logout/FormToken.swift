import GatehouseBase
import GatehouseOIDC

/// Proof that a request of ours was made from a page of ours, in this session.
///
/// An HMAC over the session's tag: it dies with the session, which is what makes a token for a
/// logout good for one time (``SignedOut`` apart, which only repeats the answer).
enum FormToken {
    enum Purpose: String {
        /// In a form that is posted.
        case form = "gatehouse form"
        /// In a link that a person follows soon.
        case link = "gatehouse link"
    }

    /// Seconds that a link is good for.
    private static let linkLifetime = 300.0

    static func make(_ purpose: Purpose, for tag: [UInt8], key: Secret) -> String {
        Base64URL.encode(code(purpose, tag, [], key))
    }

    static func isValid(
        _ token: String, _ purpose: Purpose, for tag: [UInt8], key: Secret
    ) -> Bool {
        guard let given = Base64URL.decode(token) else { return false }
        return constantTimeEquals(given, code(purpose, tag, [], key))
    }

    /// For a link: 8 bytes of time before the code.
    static func makeLink(for tag: [UInt8], now: Timestamp, key: Secret) -> String {
        let time = bytes(UInt64(max(0, now.seconds)))
        return Base64URL.encode(time + code(.link, tag, time, key))
    }

    static func isValidLink(
        _ token: String, for tag: [UInt8], now: Timestamp, key: Secret
    ) -> Bool {
        guard let given = Base64URL.decode(token), given.count == 40 else { return false }
        let time = Array(given[..<8])
        guard constantTimeEquals(Array(given[8...]), code(.link, tag, time, key)) else {
            return false
        }
        let age = now.seconds - Double(time.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        return age >= -1 && age <= linkLifetime
    }

    private static func code(
        _ purpose: Purpose, _ tag: [UInt8], _ time: [UInt8], _ key: Secret
    ) -> [UInt8] {
        Crypto.hmacSHA256(Array(purpose.rawValue.utf8) + [0] + time + tag, key: key)
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }
}
