import GatehouseBase
import Testing

@testable import GatehouseGate

@Suite struct RedemptionsTests {
    private let now = Instant(nanoseconds: 1_000_000_000_000)

    private func begin(
        _ redemptions: Redemptions, _ name: String, login: String? = nil,
        peer: String = "192.0.2.1",
        at time: Instant? = nil
    ) -> Redemptions.Beginning {
        redemptions.begin(
            code: Secret("code " + name), login: Secret("login " + (login ?? name)), peer: peer,
            now: time ?? now)
    }

    /// The limit that stands in the way; "" where there is none, nil where it was redeemed before.
    private func limit(_ beginning: Redemptions.Beginning) -> String? {
        switch beginning {
        case .begun: ""
        case .again: nil
        case .limited(let limit, _): limit
        }
    }

    private func finish(
        _ redemptions: Redemptions, _ name: String, _ verdict: Redemptions.Verdict
    ) throws {
        guard case .begun(let begun) = begin(redemptions, name) else { throw World.Missing() }
        redemptions.end(begun, verdict, now: now)
    }

    @Test func `a code and a login that were accepted are known for as long as a login is good`()
        throws
    {
        let redemptions = Redemptions(limits: Limits())
        try finish(redemptions, "a", .accepted)
        #expect(limit(begin(redemptions, "a", login: "b")) == nil)
        #expect(limit(begin(redemptions, "b", login: "a")) == nil)
        #expect(limit(begin(redemptions, "c")) == "")
        #expect(limit(begin(redemptions, "a", at: now + Limits().loginTime)) == "")
    }

    @Test func `a code under way has its place, and what was refused leaves nothing`() throws {
        let redemptions = Redemptions(limits: Limits())
        guard case .begun(let first) = begin(redemptions, "a") else { throw World.Missing() }
        #expect(limit(begin(redemptions, "a", login: "b")) == nil)
        #expect(limit(begin(redemptions, "b", login: "a")) == nil)
        redemptions.end(first, .refused, now: now)
        #expect(redemptions.counts == (0, 0))
        #expect(limit(begin(redemptions, "a")) == "")
    }

    @Test func `where nobody knows what became of a code, the oldest is forgotten first`() throws {
        let redemptions = Redemptions(limits: limits { $0.replayEntries = 2 })
        for name in ["a", "b", "c"] { try finish(redemptions, name, .unclear) }
        #expect(limit(begin(redemptions, "b")) == nil)
        #expect(limit(begin(redemptions, "c")) == nil)
        #expect(redemptions.counts.remembered == 4)
        // They take no place from what is accepted.
        try finish(redemptions, "d", .accepted)
        try finish(redemptions, "e", .accepted)
        #expect(limit(begin(redemptions, "f")) == "replay_entries")
    }

    @Test func `a network of IPv6 counts as one peer`() {
        let redemptions = Redemptions(limits: limits { $0.loginExchangesPerPeer = 1 })
        #expect(limit(begin(redemptions, "a", peer: "2001:db8::1")) == "")
        #expect(
            limit(begin(redemptions, "b", peer: "2001:db8::ffff:2")) == "login_exchanges_per_peer")
        #expect(limit(begin(redemptions, "c", peer: "2001:db8:0:1::1")) == "")
        #expect(limit(begin(redemptions, "d", peer: "192.0.2.1")) == "")
        #expect(limit(begin(redemptions, "e", peer: "192.0.2.2")) == "")
        #expect(
            limit(begin(redemptions, "f", peer: "::ffff:192.0.2.2")) == "login_exchanges_per_peer")
    }
}
