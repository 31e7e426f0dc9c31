/// Endpoints below `/.gatehouse`.
public enum Endpoint: Sendable, Equatable {
    /// A navigation without session, whatever its path: off to the provider.
    case startLogin
    case login
    case callback
    case logout
    case loggedOut
    case session
    case backChannelLogout
}
