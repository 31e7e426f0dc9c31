import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import GatehouseProxy

/// Everything that a scrape shows, gathered from all loops.
struct MetricsReport {
    /// Statuses that stand for themselves: those of the registry of RFC 9110 §16.2.1, and two that
    /// are seen beside it. Others are shown by their class, or a server could make as many series as
    /// there are numbers.
    static let knownStatuses: [Int] =
        [100, 101, 102, 103, 104] + Array(200...208) + [226] + Array(300...308)
        + Array(400...418) + [421, 422, 423, 424, 425, 426, 428, 429, 431, 451]
        + Array(500...508) + [510, 511, 520, 599]

    let loops: [LoopReport]
    let control: CounterValues
    let controlConnections: [ListenerSettings.Role: Int]
    let controlSlowPasses: Int
    let configuredRoutes: Int
    let apiRoutes: Int
    let storeFailures: Int
    let usage: ProcessUsage
    let started: Timestamp

    /// The text of a scrape.
    var text: [UInt8] {
        var sum = control
        for loop in loops { sum.add(loop.values) }
        var text = PrometheusText()
        writeContract(sum, to: &text)
        writeRequests(sum, to: &text)
        writeConnections(sum, to: &text)
        writeRoutes(to: &text)
        writeProcess(to: &text)
        return text.bytes
    }

    private func writeContract(_ sum: CounterValues, to text: inout PrometheusText) {
        text.write(Instruments.apiRouteGet, .count(sum.routesListed))
        text.write(Instruments.apiRouteAdd, .count(sum.routesAdded))
        text.write(Instruments.apiRouteDelete, .count(sum.routesDeleted))
        text.write(Instruments.requestsWeb, .count(sum.requestsWeb))
        text.write(Instruments.requestsWS, .count(sum.requestsWS))
        text.write(Instruments.requestsProxy, MetricsReport.byStatus(sum.answers))
        text.write(Instruments.requestsAPI, MetricsReport.byStatus(sum.apiAnswers))
        text.write(Instruments.findTarget, .summary(sum.lookUps))
        text.write(Instruments.lastActivity, .summary(sum.activities))
    }

    /// Those that have occurred.
    private static func byStatus(_ counts: [Int]) -> [PrometheusText.Sample] {
        var samples: [PrometheusText.Sample] = []
        var others = [Int](repeating: 0, count: 6)
        let known = Set(knownStatuses)
        for (status, count) in counts.enumerated() where count > 0 {
            if known.contains(status) {
                samples.append(.init(["\(status)"], .count(count)))
            } else {
                others[status / 100] += count
            }
        }
        for (number, count) in others.enumerated() where count > 0 {
            samples.append(.init(["\(number)xx"], .count(count)))
        }
        return samples
    }

    private func writeRequests(_ sum: CounterValues, to text: inout PrometheusText) {
        var durations: [PrometheusText.Sample] = []
        for (kind, isWebSocket) in [("web", false), ("ws", true)] {
            for number in 1...5 {
                let index = CounterValues.durationIndex(
                    isWebSocket: isWebSocket, statusClass: number)
                let histogram = sum.durations[index]
                guard histogram.count > 0 else { continue }
                durations.append(.init([kind, "\(number)xx"], .histogram(histogram)))
            }
        }
        text.write(Instruments.requestDuration, durations)
        text.write(
            Instruments.requestFailures,
            ExchangeFailure.Kind.allCases.map {
                .init([$0.fault.rawValue, $0.rawValue], .count(sum.failures[$0] ?? 0))
            })
        text.write(Instruments.receivedBytes, .count(sum.received))
        text.write(Instruments.sentBytes, .count(sum.sent))
        text.write(
            Instruments.hubTokens,
            zip(CounterValues.tokenVerdicts, sum.tokens).map { .init([$0], .count($1)) })
    }

    private func writeConnections(_ sum: CounterValues, to text: inout PrometheusText) {
        text.write(Instruments.webSockets, .count(sum.webSockets))
        var byRole = controlConnections
        for loop in loops { byRole.merge(loop.connections, uniquingKeysWith: +) }
        text.write(
            Instruments.connections,
            ListenerSettings.Role.allCases.compactMap { role in
                byRole[role].map { .init([role.rawValue], .count($0)) }
            })
        text.write(Instruments.handshakeFailures, .count(sum.handshakeFailures))
        let all = loops.reduce(0) { $0 + $1.upstreamConnections }
        let idle = loops.reduce(0) { $0 + $1.idleUpstreamConnections }
        text.write(
            Instruments.upstreamConnections,
            [.init(["idle"], .count(idle)), .init(["busy"], .count(all - idle))])
        text.write(
            Instruments.upstreamOpened, .count(loops.reduce(0) { $0 + $1.upstreamOpened }))
        text.write(
            Instruments.upstreamReused, .count(loops.reduce(0) { $0 + $1.upstreamReused }))
    }

    private func writeRoutes(to text: inout PrometheusText) {
        text.write(
            Instruments.routes,
            [
                .init(["configuration"], .count(configuredRoutes)),
                .init(["api"], .count(apiRoutes)),
            ])
        let isComplete = loops.allSatisfy(\.isTableComplete)
        text.write(Instruments.tableComplete, .count(isComplete ? 1 : 0))
        text.write(Instruments.storeFailures, .count(storeFailures))
    }

    private func writeProcess(to text: inout PrometheusText) {
        var passes = loops.enumerated().map { index, loop in
            PrometheusText.Sample(["\(index)"], .count(loop.slowPasses))
        }
        passes.append(.init(["control"], .count(controlSlowPasses)))
        text.write(Instruments.lostLines, .count(StandardLines.lostCount))
        text.write(Instruments.slowPasses, passes)
        text.write(Instruments.cpuUser, .number(usage.userSeconds))
        text.write(Instruments.cpuSystem, .number(usage.systemSeconds))
        text.write(Instruments.cpu, .number(usage.userSeconds + usage.systemSeconds))
        text.write(Instruments.startTime, .number(started.seconds))
        text.write(Instruments.residentMemory, .count(usage.residentBytes))
        text.write(Instruments.virtualMemory, .count(usage.virtualBytes))
        text.write(Instruments.openFiles, .count(usage.openFiles))
        text.write(Instruments.maximumFiles, .count(usage.maximumFiles))
    }
}
