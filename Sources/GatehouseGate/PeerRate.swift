import GatehouseBase
import Synchronization

/// Counts what a peer does in one second. A peer is an IPv4 address, or 64 bits of an IPv6 address,
/// which is what one customer or machine gets; what is no address is one by its text.
///
/// Peers are not listed but counted in a sketch (count-min with conservative update): each has a
/// cell in each of four rows, by a hash that nobody outside can foresee, and has done what the
/// least of its cells says, at the most. So memory and time are bounded whoever comes, one who asks
/// much is always found out, and strangers share no count: 100,000 of them in a second leave every
/// other peer what it has. Only more requests in a second than a row has cells, times the limit,
/// would be felt by others.
final class PeerRate: Sendable {
    private struct State {
        var second: UInt64 = 0
        var isEmpty = true
        /// Row by row.
        var counts = [UInt16](repeating: 0, count: PeerRate.rows * PeerRate.width)
    }

    private static let rows = 4
    private static let width = 32768

    private let perSecond: UInt16
    private let seed = UInt64.random(in: .min ... .max)
    private let state = Locked(State())

    init(perSecond: Int) { self.perSecond = UInt16(clamping: perSecond) }

    /// Whether `peer` has used up this second.
    func isExceeded(_ peer: String, now: Instant) -> Bool {
        let hash = hash(of: peer)
        return state.withLock { state in
            PeerRate.turn(&state, now)
            return PeerRate.count(hash, state) >= perSecond
        }
    }

    /// One more.
    func note(_ peer: String, now: Instant) {
        let hash = hash(of: peer)
        state.withLock { state in
            PeerRate.turn(&state, now)
            let count = PeerRate.count(hash, state)
            guard count < .max else { return }
            // A cell above the least counts somebody else.
            for row in 0..<PeerRate.rows {
                let cell = PeerRate.cell(hash, row)
                if state.counts[cell] == count { state.counts[cell] = count + 1 }
            }
            state.isEmpty = false
        }
    }

    /// The clocks of two loops may differ a little: no second comes back.
    private static func turn(_ state: inout State, _ now: Instant) {
        let second = now.nanoseconds / 1_000_000_000
        guard second > state.second else { return }
        state.second = second
        if state.isEmpty { return }
        for cell in state.counts.indices { state.counts[cell] = 0 }
        state.isEmpty = true
    }

    private static func count(_ hash: UInt64, _ state: State) -> UInt16 {
        var least = UInt16.max
        for row in 0..<rows { least = min(least, state.counts[cell(hash, row)]) }
        return least
    }

    /// Each row takes 15 bits of its own.
    private static func cell(_ hash: UInt64, _ row: Int) -> Int {
        row * width + Int(truncatingIfNeeded: hash >> UInt64(row * 16)) & (width - 1)
    }

    private func hash(of peer: String) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(seed)
        hasher.combine(PeerNetwork(peer))
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
