/// A signature algorithm of RFC 7518 §3.1 or RFC 8037 that we take.
///
/// There is no `none` and nothing with a shared key: what does not exist here cannot be confused
/// (RFC 8725 §2.1).
public enum SignatureAlgorithm: String, Sendable, CaseIterable, Hashable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case edDSA = "EdDSA"

    /// The digest that the algorithm signs; for `at_hash` with Ed25519 it is SHA-512 (RFC 8032 §5.1).
    var hash: Crypto.Hash {
        switch self {
        case .rs256, .ps256, .es256: .sha256
        case .rs384, .ps384, .es384: .sha384
        case .rs512, .ps512, .es512, .edDSA: .sha512
        }
    }
}
