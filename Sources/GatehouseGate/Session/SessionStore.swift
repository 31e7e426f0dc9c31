public import GatehouseBase
public import GatehouseHTTP
import Synchronization

/// All sessions, in memory. Looking one up takes one of 16 locks for a moment; everything rarer
/// (sign-in, end, sweep) goes through the index, which has its own.
///
/// Lock order: index, then shard.
public final class SessionStore: Sendable {
    private struct Entry {
        let session: Session
        /// SHA-256 of the cookie's secret.
        let digest: [UInt8]
        /// ``Instant/never`` for the current id of a session.
        var until: Instant
    }

    private final class Shard: Sendable {
        let entries = Locked<[StoreKey: Entry]>([:])
    }

    private struct Record {
        let session: Session
        var current: StoreKey
        /// Ids that a newer sign-in has replaced, and until when they are good.
        var superseded: [(key: StoreKey, until: Instant)] = []
    }

    private struct Index {
        var records: [ObjectIdentifier: Record] = [:]
        var byIdentifier: [IndexKey: [Session]] = [:]
        var tombstones = Tombstones()
        var logins = LoginMarks()
        /// nil where any is taken.
        var registration: [UInt8]?
    }

    private static let shardCount = 16
    /// Ids of a session that were replaced and still tell the browser.
    private static let keptIDs = 8

    private let indexKey: Secret
    private let shards: [Shard]
    private let index = Locked(Index())

    /// - Parameter indexKey: 32 bytes; ids are kept under an HMAC with it.
    public init(indexKey: Secret) {
        self.indexKey = indexKey
        shards = (0..<SessionStore.shardCount).map { _ in Shard() }
    }

    public var count: Int { index.withLock { $0.records.count } }

    /// All sessions, for lists and sweeps.
    public var all: [Session] { index.withLock { $0.records.values.map(\.session) } }

    // MARK: Looking up

    /// What a cookie opens.
    struct Found {
        let session: Session
        /// Whether the cookie may be remembered: an id that was replaced is good for a while only.
        let isCurrent: Bool
    }

    /// The session that `value` opens; nil for everything else, in about the same time.
    public func lookup(_ value: borrowing Span<UInt8>, now: Instant) -> Session? {
        find(value, now: now)?.session
    }

    func find(_ value: borrowing Span<UInt8>, now: Instant) -> Found? {
        guard let cookie = SessionCookie(parsing: value) else { return nil }
        let key = StoreKey(id: cookie.id, indexKey: indexKey)
        let entry = shard(key).entries.withLock { $0[key] }
        let digest = cookie.digest
        // Compared also where there is no such id, so that both cost the same.
        let matches = constantTimeEquals(entry?.digest ?? digest.reversed(), digest)
        guard let entry, matches, now < entry.until, !entry.session.isEnded else { return nil }
        return Found(session: entry.session, isCurrent: entry.until == .never)
    }

    /// The session that `value` is an id of, or was: one that was replaced a while ago opens nothing,
    /// and still tells which browser it is.
    func owner(of value: borrowing Span<UInt8>) -> Session? {
        guard let cookie = SessionCookie(parsing: value) else { return nil }
        let key = StoreKey(id: cookie.id, indexKey: indexKey)
        guard let entry = shard(key).entries.withLock({ $0[key] }),
            constantTimeEquals(entry.digest, cookie.digest), !entry.session.isEnded
        else { return nil }
        return entry.session
    }

    // MARK: Signing in

    /// A sign-in that is to become a session.
    struct Login {
        var issuer: String
        var subject: String
        var sessionID: String?
        var host: String
        var identity: SessionIdentity
        /// Asked where there is no ``sessionID``.
        var browser = BrowserMarks()
        /// ``ProviderClient/Options/registration`` of the provider that was asked.
        var registration: [UInt8] = []
        /// nil where the provider was free to let its cookie do.
        var askedAgain: Tombstones.AskedAgain?
    }

    /// What became of a sign-in.
    enum Insertion {
        /// The session, its cookie, and what must end because of it.
        case inserted(Session, SessionCookie, ends: [(Session, EndCause)])
        /// The provider has ended this login meanwhile.
        case barred
        /// Another provider is in force meanwhile.
        case otherProvider
    }

    /// Makes a session, or signs in the record of the same provider's session, subject and host
    /// again; without a provider's session, that of the same browser. The id is new in any case.
    func insert(_ login: Login, limits: SessionLimits, now: Instant) -> Insertion {
        let cookie = SessionCookie()
        let key = StoreKey(id: cookie.id, indexKey: indexKey)
        return index.withLock { index in
            guard index.registration.map({ $0 == login.registration }) ?? true else {
                return .otherProvider
            }
            let subjectKey = IndexKey(.subject, issuer: login.issuer, login.subject)
            let sessionKey = login.sessionID.map { IndexKey(.session, issuer: login.issuer, $0) }
            let authTime = login.identity.authTime
            for stone in [sessionKey, subjectKey].compactMap({ $0 })
            where index.tombstones.bars(
                stone, authTime: authTime, askedAgain: login.askedAgain, now: now)
            {
                return .barred
            }
            var ends: [(Session, EndCause)] = []
            var again: Session?
            if let sessionKey {
                for session in index.byIdentifier[sessionKey] ?? [] where !session.isEnded {
                    if !sameBytes(session.subject, login.subject) {
                        // A sid can pass to another user.
                        ends.append((session, .switchedUser))
                    } else if session.host == login.host {
                        again = session
                    }
                }
            } else {
                again = SessionStore.sameBrowser(login, index, now)
            }
            let session: Session
            if let again, index.records[ObjectIdentifier(again)] != nil {
                session = again
                supersede(again, by: key, in: &index, now, limits.superseded)
                again.replace(identity: login.identity, now: now)
            } else {
                session = Session(
                    issuer: login.issuer, subject: login.subject, sessionID: login.sessionID,
                    host: login.host, identity: login.identity, now: now)
                index.records[ObjectIdentifier(session)] = Record(session: session, current: key)
                for name in [sessionKey, subjectKey].compactMap({ $0 }) {
                    index.byIdentifier[name, default: []].append(session)
                }
                ends += evictions(
                    index.byIdentifier[subjectKey] ?? [], host: login.host, keeping: session,
                    perUser: limits.perUser)
            }
            index.logins.note(login.browser.logins, session, now: now)
            shard(key).entries.withLock {
                $0[key] = Entry(session: session, digest: cookie.digest, until: .never)
            }
            return .inserted(session, cookie, ends: ends)
        }
    }

    /// The session that this browser has made of another login of the same person.
    private static func sameBrowser(_ login: Login, _ index: Index, _ now: Instant) -> Session? {
        let shown = login.browser.session.map { [$0] } ?? []
        return (shown + index.logins.sessions(login.browser.logins, now: now)).first {
            !$0.isEnded && $0.sessionID == nil && $0.host == login.host
                && sameBytes($0.issuer, login.issuer) && sameBytes($0.subject, login.subject)
        }
    }

    private func supersede(
        _ session: Session, by key: StoreKey, in index: inout Index, _ now: Instant,
        _ lifetime: Duration
    ) {
        guard var record = index.records[ObjectIdentifier(session)] else { return }
        let old = record.current
        shard(old).entries.withLock { $0[old]?.until = now + lifetime }
        record.superseded.append((old, now + lifetime))
        dropSuperseded(&record, now)
        record.current = key
        index.records[ObjectIdentifier(session)] = record
    }

    /// Forgets ids that open nothing any more. Without a provider's session the last ones stay: the
    /// answer that a browser reads last may hold one of them.
    private func dropSuperseded(_ record: inout Record, _ now: Instant) {
        let kept = record.session.sessionID == nil ? SessionStore.keptIDs : 0
        let old = record.superseded.filter { $0.until <= now }.dropLast(kept).map(\.key)
        guard !old.isEmpty else { return }
        for key in old { shard(key).entries.withLock { _ = $0.removeValue(forKey: key) } }
        record.superseded.removeAll { old.contains($0.key) }
    }

    /// The oldest sessions of a user at a host that are too many.
    private func evictions(
        _ sessions: [Session], host: String, keeping new: Session, perUser: Int
    ) -> [(Session, EndCause)] {
        let others = sessions.filter { $0 !== new && !$0.isEnded && $0.host == host }
        let excess = others.count + 1 - max(perUser, 1)
        guard excess > 0 else { return [] }
        return others.sorted { $0.startedAt < $1.startedAt }.prefix(excess).map { ($0, .cap) }
    }

    // MARK: Ending

    /// Takes logins of one provider and client only from now on, and gives the sessions of another
    /// one, which must end: nobody would tell us of their logout any more, and their tokens are not
    /// for the new one's eyes. In one step, as ``bury(issuer:subject:sessionID:_:until:)``.
    func admit(_ registration: [UInt8]) -> [Session] {
        index.withLock { index in
            defer { index.registration = registration }
            guard let old = index.registration, old != registration else { return [] }
            return index.records.values.map(\.session)
        }
    }

    /// Takes sessions out; their cookies open nothing any more.
    func remove(_ sessions: [Session]) {
        index.withLock { index in
            for session in sessions {
                guard let record = index.records.removeValue(forKey: ObjectIdentifier(session))
                else { continue }
                for key in [record.current] + record.superseded.map(\.key) {
                    shard(key).entries.withLock { _ = $0.removeValue(forKey: key) }
                }
                let names =
                    [IndexKey(.subject, issuer: session.issuer, session.subject)]
                    + (session.sessionID.map {
                        [IndexKey(.session, issuer: session.issuer, $0)]
                    } ?? [])
                for name in names {
                    index.byIdentifier[name]?.removeAll { $0 === session }
                    if index.byIdentifier[name]?.isEmpty == true { index.byIdentifier[name] = nil }
                }
            }
        }
    }

    /// The sessions of a provider's session, on all hosts.
    public func sessions(issuer: String, sessionID: String) -> [Session] {
        index.withLock { $0.byIdentifier[IndexKey(.session, issuer: issuer, sessionID)] ?? [] }
    }

    /// The sessions of a subject, on all hosts.
    public func sessions(issuer: String, subject: String) -> [Session] {
        index.withLock { $0.byIdentifier[IndexKey(.subject, issuer: issuer, subject)] ?? [] }
    }

    /// What ends with a session that its user leaves: all of the provider's session. Where that has
    /// no name, those of the same person at other hosts, whose browsers nobody can tell.
    func family(of session: Session) -> [Session] {
        if let sid = session.sessionID { return sessions(issuer: session.issuer, sessionID: sid) }
        return [session]
            + sessions(issuer: session.issuer, subject: session.subject).filter {
                $0.sessionID == nil && $0.host != session.host
            }
    }

    /// Buries a logout and gives the sessions that it ends, in one step: a login either comes before
    /// and is among them, or after and finds the tombstone.
    func bury(
        issuer: String, subject: String?, sessionID: String?, _ logout: Tombstones.Logout,
        until: Instant
    ) -> [Session] {
        index.withLock { index in
            if let sessionID {
                let key = IndexKey(.session, issuer: issuer, sessionID)
                index.tombstones.bury(key, logout, until: until)
                return (index.byIdentifier[key] ?? []).filter { session in
                    subject.map { sameBytes($0, session.subject) } ?? true
                }
            }
            guard let subject else { return [] }
            let key = IndexKey(.subject, issuer: issuer, subject)
            index.tombstones.bury(key, logout, until: until)
            return index.byIdentifier[key] ?? []
        }
    }

    /// Forgets what time has ended (replaced ids, tombstones) and gives the sessions that have run
    /// into a limit; to be called about twice a second.
    public func expired(now: Instant, limits: SessionLimits) -> [(Session, EndCause)] {
        index.withLock { index in
            index.tombstones.forget(before: now)
            index.logins.forget(before: now)
            var ends: [(Session, EndCause)] = []
            for (name, record) in index.records {
                if let cause = record.session.expiry(at: now, limits: limits) {
                    ends.append((record.session, cause))
                }
                guard record.superseded.contains(where: { $0.until <= now }) else { continue }
                var left = record
                dropSuperseded(&left, now)
                index.records[name] = left
            }
            return ends
        }
    }

    private func shard(_ key: StoreKey) -> Shard {
        shards[key.shard(of: SessionStore.shardCount)]
    }
}
