/// The gateway's own paths on its public listeners.
///
/// One definition: the gate serves them, pages link to them, and `gatehouse check` prints which of
/// them the client at the provider must hold.
public enum OwnPath {
    /// Everything below it is ours, and no application's.
    @inlinable public static var folder: StaticString { "/.gatehouse" }

    /// Starts a login.
    @inlinable public static var login: StaticString { "/.gatehouse/login" }
    /// Where the provider sends the browser back to.
    @inlinable public static var callback: StaticString { "/.gatehouse/callback" }
    @inlinable public static var logout: StaticString { "/.gatehouse/logout" }
    /// Where the provider sends the browser after a logout.
    @inlinable public static var loggedOut: StaticString { "/.gatehouse/logged-out" }
    /// Tells a script about its session.
    @inlinable public static var session: StaticString { "/.gatehouse/session" }
    /// Where the provider says that sessions have ended.
    @inlinable public static var backChannelLogout: StaticString {
        "/.gatehouse/backchannel-logout"
    }
    @inlinable public static var health: StaticString { "/.gatehouse/healthz" }

    /// The first segment of all of them.
    public static let segment = ".gatehouse"
}
