/// Why there is no answer.
public enum BackChannelError: Error, Sendable, Equatable {
    /// No such name, refused, unreachable, closed before an answer.
    case unreachable
    case timeout
    /// The certificate is not trusted or not for this name; the text says which.
    case tls(String)
    /// The answer is above its limit.
    case tooLarge
    /// The answer is not HTTP.
    case malformed
}

extension BackChannelError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreachable: "it cannot be reached"
        case .timeout: "it does not answer in time"
        case .tls(let text): "its certificate is not accepted: \(text)"
        case .tooLarge: "its answer is too large"
        case .malformed: "its answer is not HTTP"
        }
    }
}
