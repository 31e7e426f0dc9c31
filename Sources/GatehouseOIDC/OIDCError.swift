/// What was wrong with something that came from the provider or, through the browser, from anyone.
///
/// Names the claim or parameter at fault and never holds text of a token, so that it may be logged.
public enum OIDCError: Error, Sendable, Equatable {
    /// Not in the form it must have.
    case malformed(String)
    /// Must be there and is not.
    case missing(String)
    /// Given twice.
    case duplicate(String)
    /// Well-formed, but not the value that we expect: another issuer, audience, nonce, type.
    case mismatch(String)
    /// A time that has passed.
    case expired(String)
    /// A time that has not come.
    case premature(String)
    /// An algorithm, extension or method that we do not take.
    case unsupported(String)
    /// Above its limit.
    case tooLarge(String)
    /// No usable key fits; read the provider's keys again where the refresh rule allows it.
    case unknownKey
    /// The signature is not this key's.
    case badSignature
    /// The token endpoint refuses the code or refresh token (RFC 6749 §5.2): start again.
    case invalidGrant
    /// The token endpoint refuses our own credentials: a person must act.
    case credentialsRefused
    /// The token endpoint refuses the request itself; the error's code.
    case refused(String)
    /// The provider is sick, slow or not itself; nothing is said about the user.
    case providerTrouble(String)
}

extension OIDCError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed(let part): "\(part) is malformed"
        case .missing(let part): "\(part) is missing"
        case .duplicate(let part): "\(part) is given twice"
        case .mismatch(let part): "\(part) is not the expected one"
        case .expired(let part): "\(part) has passed"
        case .premature(let part): "\(part) is in the future"
        case .unsupported(let part): "\(part) is not supported"
        case .tooLarge(let part): "\(part) is too large"
        case .unknownKey: "no key of the provider fits"
        case .badSignature: "the signature does not fit"
        case .invalidGrant: "the provider refuses the grant"
        case .credentialsRefused: "the provider refuses the client's credentials"
        case .refused(let code): "the provider refuses the request: \(code)"
        case .providerTrouble(let trouble): "the provider is in trouble: \(trouble)"
        }
    }
}
