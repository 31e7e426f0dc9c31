import GatehouseBase
import GatehouseHTTP
import GatehouseProxy
import Testing

@testable import GatehouseKit

struct CountersTests {
    private func account(
        _ status: Int, after milliseconds: Int64 = 0, failure: ExchangeFailure? = nil
    ) -> (ExchangeAccount, Instant) {
        var account = ExchangeAccount()
        account.began = Instant(nanoseconds: 1_000_000_000)
        account.status = status
        account.failure = failure
        account.received = 3
        account.sent = 5
        return (account, account.began + .milliseconds(milliseconds))
    }

    @Test(arguments: [
        (nil, RequestKind.web), ("websocket", .webSocket), ("WebSocket", .webSocket),
        ("h2c", .web), ("h2c, websocket", .webSocket), ("websockets", .web), ("", .web),
    ])
    func `only a request for a WebSocket counts as one`(upgrade: String?, kind: RequestKind) {
        var head = RequestHead("GET", target: "/", authority: "a")
        if let upgrade { head.fields.append(.upgrade, upgrade) }
        #expect(RequestKind(head) == kind)
    }

    private func filled() -> Counters {
        let counters = Counters()
        for (status, kind) in [(200, RequestKind.web), (404, .web), (101, .webSocket)] {
            let (account, now) = account(status, after: 7)
            counters.note(account, kind, now: now)
        }
        counters.noteRefusal(account(400, failure: ExchangeFailure(.clientTimeout)).0)
        counters.tunnelHasBegun()
        counters.handshakeHasFailed()
        counters.endLookUp(counters.beginLookUp())
        counters.noteActivity {}
        counters.routesWereListed()
        counters.routeWasAdded()
        counters.routeWasDeleted()
        counters.noteAPIAnswer(201)
        return counters
    }

    private func expect(_ values: CounterValues, times: Int) {
        #expect(values.requestsWeb == 2 * times)
        #expect(values.requestsWS == times)
        #expect(
            values.answers.enumerated().filter { $0.element > 0 }.map(\.offset) == [200, 400, 404])
        #expect(values.answers[404] == times)
        #expect(values.apiAnswers[201] == times)
        for (isWebSocket, number) in [(false, 2), (false, 4), (true, 1)] {
            let index = CounterValues.durationIndex(
                isWebSocket: isWebSocket, statusClass: number)
            #expect(values.durations[index].count == times)
            #expect(values.durations[index].counts[3] == times)
            #expect(values.durations[index].nanoseconds == 7_000_000 * times)
        }
        #expect(values.durations.reduce(0) { $0 + $1.count } == 3 * times)
        #expect(values.failures[.clientTimeout] == times)
        #expect(values.failures.values.reduce(0, +) == times)
        #expect(values.received == 12 * times)
        #expect(values.sent == 20 * times)
        #expect(values.webSockets == times)
        #expect(values.handshakeFailures == times)
        #expect(values.lookUps.count == times)
        #expect(values.activities.count == times)
        #expect(
            [values.routesListed, values.routesAdded, values.routesDeleted] == [
                times, times, times,
            ])
    }

    @Test func `everything is counted where it belongs`() {
        expect(filled().values, times: 1)
    }

    @Test func `what loops have counted adds up`() {
        var sum = CounterValues()
        for _ in 0..<3 { sum.add(filled().values) }
        expect(sum, times: 3)
    }

    @Test func `health counts nowhere, and what was never answered has no duration`() {
        let counters = Counters()
        let (healthy, now) = account(200)
        counters.note(healthy, .health, now: now)
        #expect(counters.values.requestsWeb == 0)
        #expect(counters.values.sent == 0)
        counters.note(account(0, failure: ExchangeFailure(.clientGone)).0, .web, now: now)
        #expect(counters.values.requestsWeb == 1)
        #expect(counters.values.answers.allSatisfy { $0 == 0 })
        #expect(counters.values.durations.allSatisfy { $0.count == 0 })
        #expect(counters.values.failures[.clientGone] == 1)
    }

    @Test func `a tunnel that ends leaves the gauge and brings its bytes`() {
        let counters = Counters()
        counters.tunnelHasBegun()
        counters.tunnelHasEnded(account(101).0)
        #expect(counters.values.webSockets == 0)
        #expect(counters.values.received == 3)
        #expect(counters.values.requestsWS == 0)
    }

    @Test func `a bound belongs to its bucket`() {
        var histogram = DurationHistogram()
        for (index, bound) in DurationHistogram.bounds.enumerated() {
            histogram.add(bound.nanoseconds)
            #expect(histogram.counts[index] == 1)
            histogram.add(bound.nanoseconds + 1)
            #expect(histogram.counts[index + 1] == 1)
            histogram = DurationHistogram()
        }
        for (text, nanoseconds) in DurationHistogram.bounds {
            #expect(Double(text) == Double(nanoseconds) / 1e9)
        }
    }
}
