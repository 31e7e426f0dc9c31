import GatehouseBase
import GatehouseOIDC
import Synchronization

/// The codes that are being redeemed, and the logins that have been: each is good for one time.
///
/// Whoever has asked for a login can come back with any number of codes that nobody has given out.
/// Nothing of that lasts: a login and its code are held while the provider is asked, and remembered
/// only where it has accepted them, which takes somebody who can sign in. Where nobody knows what
/// it did, they are remembered in a room of their own, whose oldest make place for new ones, so
/// that an outage of the provider cannot be used to shut everybody else out after it.
final class Redemptions: Sendable {
    /// What the provider did with a code.
    enum Verdict: Sendable {
        /// It answers as to a code that it has given out.
        case accepted
        /// It says no, for good.
        case refused
        /// Nobody knows whether it was redeemed.
        case unclear
    }

    /// Whether a code may be redeemed.
    enum Beginning {
        /// It may; ``Redemptions/end(_:_:now:)`` must follow.
        case begun(Redemption)
        /// This login or this code was redeemed before, or is being redeemed.
        case again
        /// It may not now, because of a limit: its name in the settings.
        case limited(String, byPeer: Bool)
    }

    /// One under way.
    struct Redemption {
        fileprivate let marks: [[UInt8]]
        fileprivate let peer: String
        fileprivate let network: PeerNetwork
    }

    private struct State {
        var underWay: Set<[UInt8]> = []
        var count = 0
        var byNetwork: [PeerNetwork: Int] = [:]
        var accepted: [[UInt8]: Instant] = [:]
        var nextSweep = Instant(nanoseconds: 0)
        var unclear = RecentMarks()
    }

    private let limits: Limits
    private let refusals: PeerRate
    private let state = Locked(State())

    init(limits: Limits) {
        self.limits = limits
        refusals = PeerRate(perSecond: limits.refusedCodesPerPeer)
    }

    /// Takes a place for a code, unless it or its login had one before.
    func begin(
        code: Secret, login transaction: Secret, peer: String, now: Instant
    ) -> Beginning {
        let marks = [Crypto.sha256(code.reveal()), Crypto.sha256(transaction.reveal())]
        let network = PeerNetwork(peer)
        let isTooFast = refusals.isExceeded(peer, now: now)
        return state.withLock { state in
            let isKnown = marks.contains { mark in
                state.underWay.contains(mark) || state.unclear.holds(mark)
                    || state.accepted[mark].map { now < $0 } ?? false
            }
            if isKnown { return .again }
            if isTooFast { return .limited("refused_codes_per_peer", byPeer: true) }
            let ofPeer = state.byNetwork[network, default: 0]
            if ofPeer >= limits.loginExchangesPerPeer {
                return .limited("login_exchanges_per_peer", byPeer: true)
            }
            if state.count >= limits.loginExchanges {
                return .limited("login_exchanges", byPeer: false)
            }
            guard hasRoom(&state, now) else { return .limited("replay_entries", byPeer: false) }
            state.underWay.formUnion(marks)
            state.count += 1
            state.byNetwork[network] = ofPeer + 1
            return .begun(Redemption(marks: marks, peer: peer, network: network))
        }
    }

    /// Gives the place back; what is remembered depends on what the provider did.
    func end(_ redemption: Redemption, _ verdict: Verdict, now: Instant) {
        if verdict == .refused { refusals.note(redemption.peer, now: now) }
        state.withLock { state in
            state.underWay.subtract(redemption.marks)
            state.count -= 1
            let left = state.byNetwork[redemption.network, default: 1] - 1
            state.byNetwork[redemption.network] = left > 0 ? left : nil
            let until = now + limits.loginTime
            for mark in redemption.marks {
                switch verdict {
                case .accepted: state.accepted[mark] = until
                case .refused: break
                case .unclear: state.unclear.add(mark, capacity: capacity)
                }
            }
        }
    }

    /// Two marks for each login.
    private var capacity: Int { 2 * limits.replayEntries }

    /// Whether all that are under way could be remembered, and one more.
    private func hasRoom(_ state: inout State, _ now: Instant) -> Bool {
        let needed = state.underWay.count + 2
        if state.accepted.count + needed > capacity, now >= state.nextSweep {
            state.accepted = state.accepted.filter { now < $0.value }
            // Not at every call while it is full of what is still good.
            state.nextSweep = now + .seconds(1)
        }
        return state.accepted.count + needed <= capacity
    }

    /// Marks that are remembered, and requests that are under way.
    var counts: (remembered: Int, underWay: Int) {
        state.withLock { ($0.accepted.count + $0.unclear.count, $0.count) }
    }
}

/// A number of marks, of which the oldest goes where there is no room.
private struct RecentMarks {
    private var marks: Set<[UInt8]> = []
    private var order: [[UInt8]] = []
    private var next = 0

    var count: Int { marks.count }

    func holds(_ mark: [UInt8]) -> Bool { marks.contains(mark) }

    mutating func add(_ mark: [UInt8], capacity: Int) {
        guard capacity > 0, marks.insert(mark).inserted else { return }
        guard order.count >= capacity else { return order.append(mark) }
        marks.remove(order[next])
        order[next] = mark
        next = (next + 1) % order.count
    }
}
