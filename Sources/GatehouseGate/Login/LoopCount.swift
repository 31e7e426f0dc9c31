import GatehouseHTTP

/// What a browser has been through within a minute: how often a login started again, and how often
/// one ended well. Kept in a cookie; whoever forges it only sooner or later sees a page.
struct LoopCount: Equatable {
    /// Restarts of a login that could not go on.
    var restarts = 0
    /// Logins that ended well in a browser without session: many of them, and the session's cookie
    /// does not stick.
    var entries = 0

    init(restarts: Int = 0, entries: Int = 0) {
        self.restarts = restarts
        self.entries = entries
    }

    /// Reads `restarts.entries`; anything else counts as nothing.
    init(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let restarts = parts[0], let entries = parts[1],
            (0...99).contains(restarts), (0...99).contains(entries)
        else { return }
        self.restarts = restarts
        self.entries = entries
    }

    var isZero: Bool { self == LoopCount() }

    /// The Set-Cookie line; 60 s.
    var line: String {
        SetCookie.line(
            ReservedCookies.loop.description, "\(restarts).\(entries)", maxAge: 60)
    }

    static var removal: String { SetCookie.removal(ReservedCookies.loop.description) }
}
