import GatehouseBase
import GatehouseGate
import GatehouseHTTP
import GatehouseProxy

/// What a request is counted as.
enum RequestKind {
    case web, webSocket
    /// Ours, and counted nowhere.
    case health

    init(_ request: borrowing RequestHead) {
        if GateSnapshot.isHealth(request) {
            self = .health
        } else if request.fields.firstIndex(of: .upgrade) != nil,
            request.fields.lists(.upgrade, "websocket")
        {
            self = .webSocket
        } else {
            self = .web
        }
    }
}

/// What one loop counts: plain integers without a lock, and no memory for a request. Who wants them
/// all asks every loop for its ``values``.
final class Counters {
    private(set) var values = CounterValues()

    // MARK: Requests

    /// Counts an exchange that has been answered, or has become a tunnel.
    ///
    /// - Parameter now: of the loop's pass.
    func note(_ account: ExchangeAccount, _ kind: RequestKind, now: Instant) {
        if kind != .health { values.note(account, isWebSocket: kind == .webSocket, now: now) }
    }

    /// Counts an answer to what was no request.
    func noteRefusal(_ account: ExchangeAccount) { values.noteAnswer(account) }

    func tunnelHasBegun() { values.webSockets += 1 }

    func tunnelHasEnded(_ account: ExchangeAccount) {
        values.webSockets -= 1
        values.received &+= account.received
        values.sent &+= account.sent
    }

    func handshakeHasFailed() { values.handshakeFailures += 1 }

    /// Counts what became of a token that was not remembered.
    func note(_ verdict: TokenVerdict) { values.tokens[CounterValues.index(verdict)] += 1 }

    // MARK: Routes

    /// A look-up begins; see ``SampledDurations``.
    func beginLookUp() -> Instant? { values.lookUps.begin() }

    func endLookUp(_ began: Instant?) { values.lookUps.end(began) }

    /// Runs `update`, which notes that a route is in use.
    func noteActivity(_ update: () -> Void) {
        let began = values.activities.begin()
        update()
        values.activities.end(began)
    }

    // MARK: The routes API

    func routesWereListed() { values.routesListed += 1 }

    func routeWasAdded() { values.routesAdded += 1 }

    func routeWasDeleted() { values.routesDeleted += 1 }

    func noteAPIAnswer(_ status: Int) {
        if status >= 100, status < CounterValues.statusCount { values.apiAnswers[status] += 1 }
    }
}
