import GatehouseBase
import Testing

@testable import GatehouseGate

@Suite struct PeerRateTests {
    private let now = Instant(nanoseconds: 7_000_000_000)

    private func limited(_ rate: PeerRate, _ peer: String, times: Int) -> Int {
        var refused = 0
        for _ in 0..<times {
            if rate.isExceeded(peer, now: now) { refused += 1 } else { rate.note(peer, now: now) }
        }
        return refused
    }

    @Test func `a peer has so many a second, and the next second anew`() {
        let rate = PeerRate(perSecond: 50)
        #expect(limited(rate, "203.0.113.1", times: 60) == 10)
        #expect(limited(rate, "203.0.113.2", times: 50) == 0)
        #expect(!rate.isExceeded("203.0.113.1", now: now + .seconds(1)))
    }

    @Test func `a loop whose clock is behind brings no second back`() {
        let rate = PeerRate(perSecond: 5)
        for step in 0..<5 {
            let behind = Instant(nanoseconds: now.nanoseconds - 1_000_000)
            rate.note("203.0.113.1", now: step % 2 == 0 ? now : behind)
        }
        #expect(rate.isExceeded("203.0.113.1", now: now))
        #expect(!rate.isExceeded("203.0.113.2", now: now))
    }

    @Test(arguments: ["", "unix:", "not an address"])
    func `what is no address counts by its text`(peer: String) {
        let rate = PeerRate(perSecond: 3)
        #expect(limited(rate, peer, times: 5) == 2)
        #expect(!rate.isExceeded("203.0.113.1", now: now))
    }

    // SECURITY-CASES E19.
    @Test func `an IPv6 network of 64 bits is one peer, and an IPv4 address is one`() {
        let rate = PeerRate(perSecond: 20)
        for number in 0..<20 { rate.note("2001:db8:1:2:\(number)::1", now: now) }
        #expect(rate.isExceeded("2001:db8:1:2::ffff", now: now))
        #expect(!rate.isExceeded("2001:db8:1:3::1", now: now))
        for number in 0..<20 { rate.note("::ffff:192.0.2.1\(number % 1)", now: now) }
        #expect(rate.isExceeded("192.0.2.10", now: now))
        #expect(!rate.isExceeded("192.0.2.11", now: now))
    }

    // SECURITY-CASES E19.
    @Test func `100,000 networks in one second shut out nobody else, and each is limited`() {
        let rate = PeerRate(perSecond: 20)
        for number in 0..<100_000 {
            let (high, low) = (String(number >> 16, radix: 16), String(number & 0xFFFF, radix: 16))
            rate.note("2001:db8:\(high):\(low)::1", now: now)
        }
        for fresh in ["198.51.100.7", "2001:db8:ffff::1", "192.0.2.1"] {
            #expect(limited(rate, fresh, times: 10) == 0)
        }
        #expect(limited(rate, "2001:db8:7777::1", times: 40) >= 20)
        #expect(limited(rate, "2001:db8:0:5::2", times: 40) >= 20)
    }
}
