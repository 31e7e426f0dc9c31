import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct LiveConnectionsTests {
    private final class Exchange: LiveExchange {
        var causes: [EndCause] = []
        var onEnd: (() -> Void)?

        func end(_ cause: EndCause) {
            causes.append(cause)
            onEnd?()
        }
    }

    private func session(_ subject: String = "a-1") -> Session {
        Session(
            issuer: FakeProvider.issuer, subject: subject, sessionID: "sid", host: "hub.example",
            identity: SessionIdentity(
                claims: Claims(username: "alice"), acr: nil, authTime: nil,
                created: Timestamp(seconds: 1), idToken: Secret("t"), tokenClaims: [:]),
            now: Instant(nanoseconds: 1))
    }

    // SECURITY-CASES E03.
    @Test func `what registers before the end is told of it`() {
        let live = LiveConnections()
        let (one, two) = (Exchange(), Exchange())
        let (alice, bob) = (session(), session("b-2"))
        guard case .registered = live.register(one, under: alice, limit: 256),
            case .registered = live.register(two, under: bob, limit: 256)
        else {
            Issue.record("not registered")
            return
        }
        #expect(alice.markEnded())
        #expect(live.end(alice, .signOut) == 1)
        #expect(one.causes == [.signOut])
        #expect(two.causes.isEmpty)
    }

    // SECURITY-CASES E03.
    @Test func `what registers after the end is refused and leaves nothing`() {
        let live = LiveConnections()
        let alice = session()
        _ = alice.markEnded()
        #expect(live.register(Exchange(), under: alice, limit: 256) == .ended)
        #expect(live.count == 0)
        #expect(alice.liveExchanges == 0)
    }

    // SECURITY-CASES E03.
    @Test func `what registers between the flag and the telling is refused, never missed`() {
        let live = LiveConnections()
        let (early, late) = (Exchange(), Exchange())
        let alice = session()
        _ = live.register(early, under: alice, limit: 256)
        _ = alice.markEnded()
        #expect(live.register(late, under: alice, limit: 256) == .ended)
        #expect(live.end(alice, .backChannelSession) == 1)
        #expect(early.causes == [.backChannelSession])
        #expect(late.causes.isEmpty)
    }

    @Test func `a session has so many exchanges and no more, on all loops`() throws {
        let (first, second) = (LiveConnections(), LiveConnections())
        let alice = session()
        var tickets: [LiveTicket] = []
        for number in 0..<256 {
            let live = number.isMultiple(of: 2) ? first : second
            guard case .registered(let ticket) = live.register(Exchange(), under: alice, limit: 256)
            else {
                Issue.record("refused at \(number)")
                return
            }
            if number.isMultiple(of: 2) { tickets.append(ticket) }
        }
        #expect(first.register(Exchange(), under: alice, limit: 256) == .tooMany)
        #expect(alice.liveExchanges == 256)
        first.remove(try #require(tickets.last))
        #expect(alice.liveExchanges == 255)
        guard case .registered = second.register(Exchange(), under: alice, limit: 256) else {
            Issue.record("the place was not given back")
            return
        }
        #expect(first.count + second.count == 256)
    }

    @Test func `an exchange may give its ticket back while it is told to end`() {
        let live = LiveConnections()
        let alice = session()
        for _ in 0..<10 {
            let exchange = Exchange()
            guard case .registered(let ticket) = live.register(exchange, under: alice, limit: 256)
            else { continue }
            exchange.onEnd = { live.remove(ticket) }
        }
        _ = alice.markEnded()
        #expect(live.end(alice, .idle) == 10)
        #expect(live.count == 0)
        #expect(alice.liveExchanges == 0)
        #expect(live.end(alice, .idle) == 0)
    }

    @Test func `a ticket given back twice counts once`() {
        let live = LiveConnections()
        let alice = session()
        guard case .registered(let ticket) = live.register(Exchange(), under: alice, limit: 2)
        else { return }
        live.remove(ticket)
        live.remove(ticket)
        #expect(alice.liveExchanges == 0)
        #expect(live.count == 0)
    }

    @Test func `a place used again belongs to the new session`() {
        let live = LiveConnections()
        let (alice, bob) = (session(), session("b-2"))
        guard case .registered(let ticket) = live.register(Exchange(), under: alice, limit: 2)
        else { return }
        live.remove(ticket)
        let exchange = Exchange()
        _ = live.register(exchange, under: bob, limit: 2)
        #expect(live.end(alice, .signOut) == 0)
        #expect(exchange.causes.isEmpty)
        var seen = 0
        live.forEach { _, session in
            seen += 1
            #expect(session === bob)
        }
        #expect(seen == 1)
    }
}
