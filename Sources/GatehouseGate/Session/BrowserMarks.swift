import GatehouseBase
import GatehouseOIDC

/// What tells whether two logins come from one browser, where the provider names no session of its
/// own (docs/decisions/0021).
struct BrowserMarks {
    /// The session whose cookie came with the login, also by an id that was replaced.
    var session: Session?
    /// SHA-256 of the secrets of all logins in progress that the browser showed, its own first.
    var logins: [[UInt8]] = []

    init() {}

    init(session: Session?, login: Secret, others: [LoginCookies.Transaction], limit: Int) {
        self.session = session
        // Ids begin with their second: the newest first.
        let newest = others.sorted { $1.id.lexicographicallyPrecedes($0.id) }.prefix(limit)
        logins = ([login] + newest.map(\.secret)).map { Crypto.sha256($0.reveal()) }
    }
}

/// The sessions that logins have become, by the marks that came with them: for a minute, in which
/// an answer to another tab of the same browser may still be under way.
struct LoginMarks {
    static let lifetime = Duration.seconds(60)
    static let capacity = 16384

    private var marks: [[UInt8]: (session: Session, until: Instant)] = [:]

    mutating func note(_ logins: [[UInt8]], _ session: Session, now: Instant) {
        guard marks.count + logins.count <= LoginMarks.capacity else { return }
        for mark in logins { marks[mark] = (session, now + LoginMarks.lifetime) }
    }

    func sessions(_ logins: [[UInt8]], now: Instant) -> [Session] {
        logins.compactMap { marks[$0] }.filter { now < $0.until }.map(\.session)
    }

    mutating func forget(before now: Instant) {
        guard !marks.isEmpty else { return }
        marks = marks.filter { now < $0.value.until && !$0.value.session.isEnded }
    }

    var count: Int { marks.count }
}
