import GatehouseBase
import Synchronization
import Testing

@testable import GatehouseGate

@Suite struct RedemptionsTests {
    private let now = Instant(nanoseconds: 1_000_000_000_000)

    private func begin(
        _ redemptions: Redemptions, _ name: String, login: String? = nil,
        peer: String = "192.0.2.1",
        at time: Instant? = nil
    ) async -> Redemptions.Beginning {
        await redemptions.begin(
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
    ) async throws {
        guard case .begun(let begun) = await begin(redemptions, name) else { throw World.Missing() }
        redemptions.end(begun, verdict, now: now)
    }

    @Test func `a code and a login that were accepted are known for as long as a login is good`()
        async throws
    {
        let redemptions = Redemptions(limits: Limits())
        try await finish(redemptions, "a", .accepted)
        #expect(limit(await begin(redemptions, "a", login: "b")) == nil)
        #expect(limit(await begin(redemptions, "b", login: "a")) == nil)
        #expect(limit(await begin(redemptions, "c")) == "")
        #expect(limit(await begin(redemptions, "a", at: now + Limits().loginTime)) == "")
    }

    @Test func `a code under way has its place, and what was refused leaves nothing`() async throws
    {
        let redemptions = Redemptions(limits: Limits())
        guard case .begun(let first) = await begin(redemptions, "a") else { throw World.Missing() }
        #expect(limit(await begin(redemptions, "a", login: "b")) == nil)
        #expect(limit(await begin(redemptions, "b", login: "a")) == nil)
        redemptions.end(first, .refused, now: now)
        #expect(redemptions.counts == (0, 0))
        #expect(limit(await begin(redemptions, "a")) == "")
    }

    @Test func `where nobody knows what became of a code, the oldest is forgotten first`()
        async throws
    {
        let redemptions = Redemptions(limits: limits { $0.replayEntries = 2 })
        for name in ["a", "b", "c"] { try await finish(redemptions, name, .unclear) }
        #expect(limit(await begin(redemptions, "b")) == nil)
        #expect(limit(await begin(redemptions, "c")) == nil)
        #expect(redemptions.counts.remembered == 4)
        // They take no place from what is accepted.
        try await finish(redemptions, "d", .accepted)
        try await finish(redemptions, "e", .accepted)
        #expect(limit(await begin(redemptions, "f")) == "replay_entries")
    }

    @Test func `a network of IPv6 counts as one peer`() async {
        let redemptions = Redemptions(
            limits: limits {
                $0.loginExchangesPerPeer = 1
                $0.loginQueue = 0
            })
        #expect(limit(await begin(redemptions, "a", peer: "2001:db8::1")) == "")
        #expect(
            limit(await begin(redemptions, "b", peer: "2001:db8::ffff:2")) == "login_queue")
        #expect(limit(await begin(redemptions, "c", peer: "2001:db8:0:1::1")) == "")
        #expect(limit(await begin(redemptions, "d", peer: "192.0.2.1")) == "")
        #expect(limit(await begin(redemptions, "e", peer: "192.0.2.2")) == "")
        #expect(
            limit(await begin(redemptions, "f", peer: "::ffff:192.0.2.2")) == "login_queue")
    }

    // MARK: The line

    /// What those in the line got, in order.
    private final class Got: Sendable {
        let names = Locked<[String]>([])
        var all: [String] { names.withLock { $0 } }
    }

    /// Waits for the turn of one in the line, and says what it got.
    private func join(
        _ redemptions: Redemptions, _ name: String, peer: String = "192.0.2.1",
        _ got: Got, _ group: inout ThrowingTaskGroup<Void, any Error>
    ) async throws {
        let before = redemptions.waiting
        group.addTask {
            let beginning = await self.begin(redemptions, name, peer: peer)
            let limit = self.limit(beginning)
            got.names.withLock {
                $0.append(limit.map { $0.isEmpty ? name : "\(name): \($0)" } ?? "again")
            }
        }
        try await eventually { redemptions.waiting == before + 1 }
    }

    @Test func `a place goes to the peer with the fewest, and to its first in line`() async throws {
        let redemptions = Redemptions(
            limits: limits {
                $0.loginExchanges = 3
                $0.loginExchangesPerPeer = 2
            })
        var begun: [Redemptions.Redemption] = []
        for (name, peer) in [("a", "192.0.2.1"), ("b", "192.0.2.1"), ("c", "192.0.2.2")] {
            guard case .begun(let one) = await begin(redemptions, name, peer: peer) else {
                throw World.Missing()
            }
            begun.append(one)
        }
        let got = Got()
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await join(redemptions, "a1", got, &group)
            try await join(redemptions, "a2", got, &group)
            try await join(redemptions, "b1", peer: "192.0.2.2", got, &group)
            try await join(redemptions, "c1", peer: "192.0.2.3", got, &group)
            // A code in the line is under way as far as others are concerned.
            #expect(limit(await begin(redemptions, "a1", login: "x")) == nil)
            #expect(limit(await begin(redemptions, "x", login: "c1")) == nil)
            for expected in [["c1"], ["c1", "a1"], ["c1", "a1", "b1"]] {
                redemptions.end(begun.removeFirst(), .accepted, now: now)
                try await eventually { got.all == expected }
            }
            #expect(redemptions.waiting == 1 && redemptions.counts.underWay == 3)
            redemptions.expire(now: now + Limits().providerTime)
            try await group.waitForAll()
        }
        #expect(got.all.last == "a2: login_exchanges")
    }

    @Test func `the line ends after the provider's time, and at its length`() async throws {
        let redemptions = Redemptions(
            limits: limits {
                $0.loginExchangesPerPeer = 1
                $0.loginQueue = 3
                $0.loginQueuePerPeer = 2
            })
        guard case .begun(let first) = await begin(redemptions, "a") else { throw World.Missing() }
        guard case .begun = await begin(redemptions, "b", peer: "192.0.2.2") else {
            throw World.Missing()
        }
        let got = Got()
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await join(redemptions, "a1", got, &group)
            try await join(redemptions, "a2", got, &group)
            #expect(limit(await begin(redemptions, "a3")) == "login_queue_per_peer")
            try await join(redemptions, "b1", peer: "192.0.2.2", got, &group)
            #expect(limit(await begin(redemptions, "b2", peer: "192.0.2.2")) == "login_queue")
            #expect(limit(await begin(redemptions, "c", peer: "192.0.2.3")) == "")
            redemptions.expire(now: now + (Limits().providerTime - .seconds(1)))
            #expect(redemptions.waiting == 3)
            redemptions.expire(now: now + Limits().providerTime)
            try await group.waitForAll()
        }
        #expect(
            got.all.sorted() == [
                "a1: login_exchanges_per_peer", "a2: login_exchanges_per_peer",
                "b1: login_exchanges_per_peer",
            ])
        // Nothing is left of them: the same codes can come again.
        redemptions.end(first, .refused, now: now)
        #expect(limit(await begin(redemptions, "a1")) == "")
        #expect(redemptions.waiting == 0 && redemptions.counts.underWay == 3)
    }

    @Test func `a peer whose codes are refused loses its places in the line, others do not`()
        async throws
    {
        let redemptions = Redemptions(
            limits: limits {
                $0.loginExchanges = 2
                $0.loginExchangesPerPeer = 1
                $0.refusedCodesPerPeer = 1
            })
        guard case .begun(let junk) = await begin(redemptions, "junk"),
            case .begun(let good) = await begin(redemptions, "good", peer: "192.0.2.2")
        else { throw World.Missing() }
        let got = Got()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<3 { try await join(redemptions, "junk\(number)", got, &group) }
            try await join(redemptions, "good1", peer: "192.0.2.2", got, &group)
            redemptions.end(junk, .refused, now: now)
            try await eventually { got.all.count == 3 }
            #expect(got.all.allSatisfy { $0.hasSuffix(": refused_codes_per_peer") })
            #expect(redemptions.waiting == 1 && redemptions.counts.underWay == 1)
            redemptions.end(good, .accepted, now: now)
            try await group.waitForAll()
        }
        #expect(got.all.last == "good1")
    }

    @Test func `who waits no more leaves no place behind`() async throws {
        let redemptions = Redemptions(limits: limits { $0.loginExchangesPerPeer = 1 })
        guard case .begun(let first) = await begin(redemptions, "a") else { throw World.Missing() }
        let got = Got()
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await join(redemptions, "b", got, &group)
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(redemptions.waiting == 0)
        redemptions.end(first, .accepted, now: now)
        #expect(redemptions.counts.underWay == 0)
        #expect(limit(await begin(redemptions, "b")) == "")
    }
}
