/// Why an exchange or a session ends before its time.
public enum EndCause: String, Sendable {
    case signOut = "user"
    case backChannelSession = "bcl_sid"
    case backChannelSubject = "bcl_sub"
    case idle
    case absolute
    case cap
    case switchedUser = "switch"
    case accessChanged = "access"
    /// The settings name another provider, or another client at it.
    case providerChanged = "provider"
    /// The records could not keep it.
    case recordsFailed = "records"
    case shutdown
}
