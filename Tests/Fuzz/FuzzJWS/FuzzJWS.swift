import Fuzzing
import GatehouseBase
import GatehouseOIDC

/// A token is taken apart without a trap, is the only spelling of what it says, and is believed
/// only where the bytes before its signature are ones that a key of the set has signed.
///
/// An input that begins with `{` is a header in JSON: it stands in turn before the payload and the
/// signature of every published token. Any other input is a whole token.
@main
enum FuzzJWS {
    private static let everything = Set(SignatureAlgorithm.allCases)

    static func main() {
        // What no input can show if it does not hold: the good tokens are believed.
        precondition(PublishedToken.keys.count == PublishedToken.all.count)
        for token in PublishedToken.all {
            guard let parsed = parse(Array(token.text.utf8), everything) else {
                fatalError("a good token is refused")
            }
            precondition(isSigned(parsed))
        }
        fuzz { check($0) }
    }

    private static func check(_ bytes: borrowing Span<UInt8>) {
        guard bytes.count > 0, bytes[0] == UInt8(ascii: "{") else { return judge(bytes.array) }
        let header = Base64URL.encode(bytes.array)
        for token in PublishedToken.all { judge(Array((header + token.rest).utf8)) }
    }

    private static func judge(_ text: [UInt8]) {
        guard let token = parse(text, everything) else { return }
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        precondition(parts.count == 3 && !parts[2].isEmpty)
        for part in parts {
            guard let bytes = Base64URL.decode(part) else { fatalError("no base64url") }
            precondition(Base64URL.encode(bytes).utf8.elementsEqual(part))
        }
        precondition(parse(text, everything.subtracting([token.algorithm])) == nil)
        if isSigned(token) {
            let input = text[..<parts[1].endIndex]
            precondition(PublishedToken.all.contains { $0.signingInput.utf8.elementsEqual(input) })
        }
    }

    private static func parse(_ text: [UInt8], _ allowed: Set<SignatureAlgorithm>) -> JWS? {
        do throws(OIDCError) { return try JWS(parsing: text, allowed: allowed) } catch {
            return nil
        }
    }

    /// Whether a key of the set has signed it; what it says may be no JSON all the same.
    private static func isSigned(_ token: JWS) -> Bool {
        do throws(OIDCError) {
            _ = try token.verifiedClaims(with: PublishedToken.keys)
            return true
        } catch {
            switch error {
            case .malformed("payload"): return true
            case .unknownKey, .badSignature: return false
            default: fatalError("an error that verifying does not have")
            }
        }
    }
}
