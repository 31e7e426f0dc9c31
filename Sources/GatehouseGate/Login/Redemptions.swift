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
///
/// A class behind one address signs in at the same moment. So whoever finds all places taken waits
/// for one, for as long as the provider may take to answer. The line is bounded, in all and for
/// each peer; a place goes to the peer that has the fewest, so that nobody's flood holds up others;
/// and a peer whose codes are refused too often loses its places in the line too.
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

    /// Somebody who waits for a place.
    private struct Waiting {
        let number: Int
        let redemption: Redemption
        let until: Instant
        /// Ends the waiting; the outcome stands in the state then.
        let end: AsyncStream<Never>.Continuation
    }

    private enum Place {
        case given(Beginning)
        case inLine(Int, AsyncStream<Never>)
    }

    private struct State {
        var line: [Waiting] = []
        var nextNumber = 0
        /// Of those whose waiting is over, until they take note of it.
        var outcomes: [Int: Beginning] = [:]
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

    /// Takes a place for a code, unless it or its login had one before; waits where there is none.
    func begin(
        code: Secret, login transaction: Secret, peer: String, now: Instant
    ) async -> Beginning {
        switch enter(code: code, login: transaction, peer: peer, now: now) {
        case .given(let beginning): return beginning
        case .inLine(let number, let turn):
            for await _ in turn {}
            return state.withLock { state in
                if let outcome = state.outcomes.removeValue(forKey: number) { return outcome }
                // Nobody waits any more.
                state.line.removeAll { $0.number == number }
                return .limited("login_exchanges", byPeer: false)
            }
        }
    }

    private func enter(
        code: Secret, login transaction: Secret, peer: String, now: Instant
    ) -> Place {
        let marks = [Crypto.sha256(code.reveal()), Crypto.sha256(transaction.reveal())]
        let network = PeerNetwork(peer)
        let redemption = Redemption(marks: marks, peer: peer, network: network)
        return state.withLock { state in
            let isKnown = marks.contains { mark in
                state.underWay.contains(mark) || state.unclear.holds(mark)
                    || state.accepted[mark].map { now < $0 } ?? false
                    || state.line.contains { $0.redemption.marks.contains(mark) }
            }
            if isKnown { return .given(.again) }
            guard fullLimit(network, state) != nil else {
                return .given(start(redemption, &state, now))
            }
            if refusals.isExceeded(peer, now: now) { return .given(Redemptions.tooFast) }
            let ofPeer = state.line.count { $0.redemption.network == network }
            if ofPeer >= limits.loginQueuePerPeer {
                return .given(.limited("login_queue_per_peer", byPeer: true))
            }
            if state.line.count >= limits.loginQueue {
                return .given(.limited("login_queue", byPeer: false))
            }
            let (turn, end) = AsyncStream<Never>.makeStream()
            let number = state.nextNumber
            state.nextNumber += 1
            state.line.append(
                Waiting(
                    number: number, redemption: redemption, until: now + limits.providerTime,
                    end: end))
            return .inLine(number, turn)
        }
    }

    private static let tooFast = Beginning.limited("refused_codes_per_peer", byPeer: true)

    /// Why there is no place for a peer; nil where there is one.
    private func fullLimit(_ network: PeerNetwork, _ state: State) -> Beginning? {
        if state.byNetwork[network, default: 0] >= limits.loginExchangesPerPeer {
            return .limited("login_exchanges_per_peer", byPeer: true)
        }
        return state.count >= limits.loginExchanges
            ? .limited("login_exchanges", byPeer: false) : nil
    }

    /// Gives a place that there is.
    private func start(
        _ redemption: Redemption, _ state: inout State, _ now: Instant
    ) -> Beginning {
        if refusals.isExceeded(redemption.peer, now: now) { return Redemptions.tooFast }
        guard hasRoom(&state, now) else { return .limited("replay_entries", byPeer: false) }
        state.underWay.formUnion(redemption.marks)
        state.count += 1
        state.byNetwork[redemption.network, default: 0] += 1
        return .begun(redemption)
    }

    /// Gives the places that there are to those who wait.
    private func admit(_ state: inout State, _ now: Instant) {
        while let index = state.line.indices
            .filter({ fullLimit(state.line[$0].redemption.network, state) == nil })
            .min(by: { places(of: $0, state) < places(of: $1, state) })
        {
            let next = state.line.remove(at: index)
            let beginning = start(next.redemption, &state, now)
            state.outcomes[next.number] = beginning
            next.end.finish()
            guard case .limited = beginning else { continue }
            // All of this peer would hear the same.
            sendAway(&state, beginning) { $0.redemption.network == next.redemption.network }
        }
    }

    /// Ends the waiting of some.
    private func sendAway(
        _ state: inout State, _ beginning: Beginning, where isMeant: (Waiting) -> Bool
    ) {
        for waiting in state.line where isMeant(waiting) {
            state.outcomes[waiting.number] = beginning
            waiting.end.finish()
        }
        state.line.removeAll(where: isMeant)
    }

    /// Places that the peer of somebody in the line has.
    private func places(of index: Int, _ state: State) -> Int {
        state.byNetwork[state.line[index].redemption.network, default: 0]
    }

    /// Sends away who has waited for too long; to be called about twice a second.
    func expire(now: Instant) { state.withLock { sendAwayLate(&$0, now) } }

    private func sendAwayLate(_ state: inout State, _ now: Instant) {
        for network in Set(state.line.filter { $0.until <= now }.map(\.redemption.network)) {
            let limit = fullLimit(network, state) ?? .limited("login_exchanges", byPeer: false)
            sendAway(&state, limit) { $0.until <= now && $0.redemption.network == network }
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
            admit(&state, now)
            sendAwayLate(&state, now)
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

    /// How many wait for a place.
    var waiting: Int { state.withLock { $0.line.count } }

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
