import GatehouseBase
import GatehouseOIDC
import Synchronization

/// The sign-outs of the last minute, by the cookie that each came with.
///
/// Only somebody who was signed in leaves one, and only the very cookie finds it, as with
/// ``SessionStore``. It opens nothing: who asks must still show that a person wants to sign out.
final class RecentSignOuts: Sendable {
    private struct Entry {
        let signedOut: SignedOut
        /// SHA-256 of the cookie's secret.
        let digest: [UInt8]
        let until: Instant
    }

    private struct State {
        var entries: [StoreKey: Entry] = [:]
        /// The oldest first, which are also the first that are too old.
        var order: [StoreKey] = []
        var size = 0
    }

    static let lifetime = Duration.seconds(60)
    /// Bytes of all; an ID token has 1 to 6 kB, and at most 32.
    static let room = 4 * 1024 * 1024

    private let indexKey: Secret
    private let state = Locked(State())

    init(indexKey: Secret) { self.indexKey = indexKey }

    /// Must come before the session's end: whoever finds no session any more then finds this.
    func remember(_ signedOut: SignedOut, _ value: borrowing Span<UInt8>, now: Instant) {
        guard let cookie = SessionCookie(parsing: value) else { return }
        let key = StoreKey(id: cookie.id, indexKey: indexKey)
        let entry = Entry(
            signedOut: signedOut, digest: cookie.digest, until: now + RecentSignOuts.lifetime)
        state.withLock { state in
            guard state.entries[key] == nil else { return }
            state.entries[key] = entry
            state.order.append(key)
            state.size += signedOut.size
            RecentSignOuts.forget(&state) { size, _ in size > RecentSignOuts.room }
        }
    }

    /// What `value` signed out a moment ago.
    func recall(_ value: borrowing Span<UInt8>, now: Instant) -> SignedOut? {
        guard let cookie = SessionCookie(parsing: value) else { return nil }
        let key = StoreKey(id: cookie.id, indexKey: indexKey)
        let entry = state.withLock { $0.entries[key] }
        guard let entry, now < entry.until, constantTimeEquals(entry.digest, cookie.digest) else {
            return nil
        }
        return entry.signedOut
    }

    /// To be called about twice a second.
    func forget(before now: Instant) {
        state.withLock { state in RecentSignOuts.forget(&state) { $1.until <= now } }
    }

    var count: Int { state.withLock { $0.entries.count } }

    /// Forgets the oldest while `isTooMuch`, which is told the bytes of all.
    private static func forget(_ state: inout State, while isTooMuch: (Int, Entry) -> Bool) {
        var count = 0
        while count < state.order.count, let entry = state.entries[state.order[count]],
            isTooMuch(state.size, entry)
        {
            state.size -= entry.signedOut.size
            state.entries[state.order[count]] = nil
            count += 1
        }
        state.order.removeFirst(count)
    }
}
