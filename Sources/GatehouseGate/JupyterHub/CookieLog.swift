import GatehouseBase

/// Tells of JupyterHub's cookies that did not pass.
///
/// How often that happens is for users' code and for clients to say: of each kind one line a
/// minute is written.
final class CookieLog: Sendable {
    /// Why a server's Set-Cookie was dropped.
    enum Cause: String {
        /// The cookie is another route's.
        case foreign
        /// Its name could be read as another one.
        case unclear
        /// Its name or path is longer than a browser keeps.
        case long
        /// Set under a public rule, where nobody is signed in.
        case anonymous
    }

    private let log: Log
    private let clock: GateClock
    private let lines = RepeatedLines()

    init(_ log: Log, _ clock: GateClock) {
        self.log = log
        self.clock = clock
    }

    /// A server has set a cookie that it may not set.
    func dropped(_ cookie: HubCookie, _ cause: Cause, by prefix: ArraySlice<UInt8>) {
        guard log.level <= .notice else { return }
        let route = String(decoding: prefix, as: UTF8.self)
        guard
            let count = lines.leftOut(
                before: "dropped \(cause.rawValue) \(route)", now: clock.instant())
        else { return }
        log.notice(
            "cookie_dropped", ("cookie", String(decoding: cookie.name, as: UTF8.self)),
            ("cause", cause.rawValue), ("route", route), ("left_out", "\(count)"))
    }

    /// A client has shown a cookie that is not of its session.
    func stripped(_ cookie: HubCookie, on prefix: ArraySlice<UInt8>, user: String) {
        guard log.level <= .info else { return }
        let route = String(decoding: prefix, as: UTF8.self)
        guard
            let count = lines.leftOut(
                before: "stripped \(route) \(user)", now: clock.instant())
        else { return }
        log.info(
            "cookie_pin_stripped", ("cookie", String(decoding: cookie.name, as: UTF8.self)),
            ("user", user), ("route", route), ("left_out", "\(count)"))
    }
}
