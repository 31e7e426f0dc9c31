import GatehouseBase

/// What remains of a logout, so that the provider's dying session cannot bring ours back.
///
/// While Keycloak is still calling its clients, that session goes on giving out codes with the
/// same `sid`, a new `iat` and the old `auth_time`, and no second call comes. So a login under a
/// tombstone is barred when its `auth_time` is absent or not newer; one that is newer is let in,
/// because a `sid` may be used again. Whoever is barred starts again with `prompt=login`, and of
/// such a login that was started after the logout (``AskedAgain``) less is wanted:
///
/// - Without `auth_time` it is let in: the person has been asked since, and nothing else can tell.
/// - After a sign-out here `auth_time`, which is of the provider's clock, may be older by as much as
///   that may be behind ours. A logout told by the provider has its time by the same clock.
struct Tombstones {
    /// A logout, and when it was.
    enum Logout {
        /// The user has signed out here; by our clock.
        case here(Timestamp)
        /// The provider has told us: `iat` by its clock, and when that came by ours.
        case told(issued: Timestamp, received: Timestamp)
    }

    /// That a login had the provider ask for the password, whatever its cookie says.
    struct AskedAgain {
        /// When the login was started, by our clock.
        var started: Timestamp
        /// How far the provider's clock may be from ours.
        var skew: Duration
    }

    private struct Stone {
        var here: Timestamp?
        var told: (issued: Timestamp, received: Timestamp)?
        var until: Instant

        mutating func note(_ logout: Logout) {
            switch logout {
            case .here(let time): here = max(time, here ?? time)
            case .told(let issued, let received):
                told = (
                    max(issued, told?.issued ?? issued), max(received, told?.received ?? received)
                )
            }
        }

        func bars(_ authTime: Timestamp?, _ asked: AskedAgain?) -> Bool {
            func isAsked(after time: Timestamp) -> Bool { asked.map { $0.started > time } ?? false }
            guard let authTime else {
                let newest = [here, told?.received].compactMap { $0 }.max()
                return newest.map { !isAsked(after: $0) } ?? false
            }
            // Whole seconds: that is all `iat` and `auth_time` tell.
            let second = authTime.wholeSeconds
            if let told, second <= told.issued.wholeSeconds { return true }
            guard let here, second <= here.wholeSeconds else { return false }
            guard let asked, isAsked(after: here) else { return true }
            return second < (asked.started + asked.skew * -1).wholeSeconds
        }
    }

    private var stones: [IndexKey: Stone] = [:]

    mutating func bury(_ key: IndexKey, _ logout: Logout, until: Instant) {
        var stone = stones[key] ?? Stone(until: until)
        stone.note(logout)
        stone.until = max(until, stone.until)
        stones[key] = stone
    }

    func bars(
        _ key: IndexKey, authTime: Timestamp?, askedAgain: AskedAgain?, now: Instant
    ) -> Bool {
        guard let stone = stones[key], now < stone.until else { return false }
        return stone.bars(authTime, askedAgain)
    }

    mutating func forget(before now: Instant) {
        stones = stones.filter { now < $0.value.until }
    }

    var count: Int { stones.count }
}

extension Timestamp {
    fileprivate var wholeSeconds: Double { seconds.rounded(.down) }
}

/// Issuer and one identifier of it, as bytes: text that only looks alike is not the same.
struct IndexKey: Hashable, Sendable {
    enum Kind: UInt8 { case session, subject }

    private let bytes: [UInt8]

    /// Identifiers hold no control characters, so that the parts cannot run into each other.
    init(_ kind: Kind, issuer: String, _ identifier: String) {
        bytes = [kind.rawValue] + Array(issuer.utf8) + [0] + Array(identifier.utf8)
    }
}
