import GatehouseBase

/// What remains of a logout that the provider told us of, so that a login in flight cannot bring
/// the session back.
///
/// While Keycloak is still calling its clients, the dying session goes on giving out codes with
/// the same `sid`, a new `iat` and the old `auth_time`, and no second call comes. So a login under
/// a tombstone is barred when its `auth_time` is absent or not newer; one that is newer is let in,
/// because a `sid` may be used again.
struct Tombstones {
    private struct Stone {
        var logoutIssued: Timestamp
        var until: Instant
    }

    private var stones: [IndexKey: Stone] = [:]

    mutating func bury(_ key: IndexKey, issued: Timestamp, until: Instant) {
        let old = stones[key]
        stones[key] = Stone(
            logoutIssued: max(issued, old?.logoutIssued ?? issued),
            until: max(until, old?.until ?? until))
    }

    func bars(_ key: IndexKey, authTime: Timestamp?, now: Instant) -> Bool {
        guard let stone = stones[key], now < stone.until else { return false }
        guard let authTime else { return true }
        // Whole seconds: that is all `iat` and `auth_time` tell.
        return authTime.seconds.rounded(.down) <= stone.logoutIssued.seconds.rounded(.down)
    }

    mutating func forget(before now: Instant) {
        stones = stones.filter { now < $0.value.until }
    }

    var count: Int { stones.count }
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
