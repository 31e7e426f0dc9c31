/// Why a login came to nothing.
public enum LoginFailure: Sendable, Equatable {
    /// The callback holds something that is no answer of a provider.
    case malformed
    /// The browser sends back neither the cookie of the login nor one of a session.
    case cookies
    /// The login was left lying for too long, more than once.
    case tooOld
    /// The provider refuses: its code and its words.
    case refused(code: String, description: String?)
    /// What the provider answers is not what a provider answers.
    case badAnswer
    /// The provider does not accept our own credentials: somebody must act.
    case credentials
    /// The user's name cannot stand in a path.
    case username
    /// The provider goes on giving out a session that it has ended.
    case endedMeanwhile
    /// Too many logins end at this moment; nothing is wrong with this one.
    case busy
}
