import GatehouseBase
import GatehouseGate
import GatehouseProxy

/// What ``Counters`` hold, to be carried to another loop and added up.
struct CounterValues: Sendable {
    /// Statuses of this many are counted one by one.
    static let statusCount = 600

    var requestsWeb = 0
    var requestsWS = 0
    /// By status.
    var answers = [Int](repeating: 0, count: statusCount)
    var apiAnswers = [Int](repeating: 0, count: statusCount)
    var routesListed = 0
    var routesAdded = 0
    var routesDeleted = 0
    var lookUps = SampledDurations()
    var activities = SampledDurations()
    /// By kind and class of status: ``durationIndex(isWebSocket:statusClass:)``.
    var durations = [DurationHistogram](repeating: DurationHistogram(), count: 10)
    var failures = Dictionary(uniqueKeysWithValues: ExchangeFailure.Kind.allCases.map { ($0, 0) })
    var received = 0
    var sent = 0
    /// Open now.
    var webSockets = 0
    var handshakeFailures = 0
    /// Tokens of JupyterHub by verdict: ``tokenVerdicts``.
    var tokens = [0, 0, 0, 0, 0]

    /// The words of ``tokens``.
    static let tokenVerdicts = ["good", "bad", "too_many", "unavailable", "session"]

    static func index(_ verdict: TokenVerdict) -> Int {
        switch verdict {
        case .good: 0
        case .bad: 1
        case .tooMany: 2
        case .unavailable: 3
        case .ofSession: 4
        }
    }

    /// - Parameter statusClass: 1 to 5.
    static func durationIndex(isWebSocket: Bool, statusClass: Int) -> Int {
        (isWebSocket ? 5 : 0) + statusClass - 1
    }

    /// Counts a request: one access to all of this, as each from outside has its price.
    mutating func note(_ account: ExchangeAccount, isWebSocket: Bool, now: Instant) {
        if isWebSocket { requestsWS += 1 } else { requestsWeb += 1 }
        let status = account.status
        if status >= 100, status < CounterValues.statusCount {
            let index = CounterValues.durationIndex(
                isWebSocket: isWebSocket, statusClass: status / 100)
            durations[index].add(
                now > account.began ? now.nanoseconds - account.began.nanoseconds : 0)
        }
        noteAnswer(account)
    }

    mutating func noteAnswer(_ account: ExchangeAccount) {
        let status = account.status
        if status != 101, status >= 100, status < CounterValues.statusCount {
            answers[status] += 1
        }
        if let failure = account.failure { failures[failure.kind, default: 0] += 1 }
        received &+= account.received
        sent &+= account.sent
    }

    /// Adds what another loop has counted.
    mutating func add(_ other: CounterValues) {
        requestsWeb += other.requestsWeb
        requestsWS += other.requestsWS
        for status in answers.indices {
            answers[status] += other.answers[status]
            apiAnswers[status] += other.apiAnswers[status]
        }
        routesListed += other.routesListed
        routesAdded += other.routesAdded
        routesDeleted += other.routesDeleted
        lookUps.add(other.lookUps)
        activities.add(other.activities)
        for index in durations.indices { durations[index].add(other.durations[index]) }
        failures.merge(other.failures) { $0 + $1 }
        received += other.received
        sent += other.sent
        webSockets += other.webSockets
        handshakeFailures += other.handshakeFailures
        for index in tokens.indices { tokens[index] += other.tokens[index] }
    }
}
