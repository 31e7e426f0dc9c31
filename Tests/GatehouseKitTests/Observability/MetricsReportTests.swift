import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import Testing

@testable import GatehouseKit

struct MetricsReportTests {
    private func loop(
        _ values: CounterValues = CounterValues(), upstreams: (all: Int, idle: Int) = (0, 0),
        slowPasses: Int = 0, isComplete: Bool = true
    ) -> LoopReport {
        LoopReport(
            values: values, connections: [.public: 2], upstreamConnections: upstreams.all,
            idleUpstreamConnections: upstreams.idle, upstreamOpened: 5, upstreamReused: 7,
            slowPasses: slowPasses, isTableComplete: isComplete)
    }

    private func lines(
        _ loops: [LoopReport], control: CounterValues = CounterValues(),
        usage: ProcessUsage = .now()
    ) -> [Substring] {
        let report = MetricsReport(
            loops: loops, control: control, controlConnections: [.api: 3, .metrics: 1],
            controlSlowPasses: 13, configuredRoutes: 4, apiRoutes: 6, storeFailures: 9,
            usage: usage, started: Timestamp(seconds: 1000))
        return String(decoding: report.text, as: UTF8.self).split(separator: "\n")
    }

    @Test func `what all loops say is one sum, the control loop's with it`() {
        let serving = Counters()
        serving.handshakeHasFailed()
        serving.tunnelHasBegun()
        let control = Counters()
        control.handshakeHasFailed()
        control.routeWasAdded()
        control.noteAPIAnswer(201)
        let lines = lines(
            [
                loop(serving.values, upstreams: (5, 2), slowPasses: 11),
                loop(serving.values, upstreams: (3, 1), slowPasses: 12),
            ], control: control.values)
        for line in [
            "gatehouse_tls_handshake_failures_total 3", "gatehouse_websockets 2",
            "api_route_add 1", #"requests_api{status="201"} 1"#,
            #"gatehouse_connections{role="public"} 4"#, #"gatehouse_connections{role="api"} 3"#,
            #"gatehouse_connections{role="metrics"} 1"#,
            #"gatehouse_upstream_connections{state="idle"} 3"#,
            #"gatehouse_upstream_connections{state="busy"} 5"#,
            "gatehouse_upstream_connections_opened_total 10",
            "gatehouse_upstream_connections_reused_total 14",
            #"gatehouse_routes{source="configuration"} 4"#, #"gatehouse_routes{source="api"} 6"#,
            "gatehouse_store_failures_total 9", "process_start_time_seconds 1000",
            #"gatehouse_loop_slow_passes_total{loop="0"} 11"#,
            #"gatehouse_loop_slow_passes_total{loop="1"} 12"#,
            #"gatehouse_loop_slow_passes_total{loop="control"} 13"#,
        ] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
    }

    @Test func `the table is complete when it is on every loop`() {
        let name = "gatehouse_route_table_complete"
        #expect(lines([loop(), loop()]).contains("\(name) 1"))
        #expect(lines([loop(), loop(isComplete: false)]).contains("\(name) 0"))
        #expect(lines([loop(isComplete: false), loop()]).contains("\(name) 0"))
    }

    @Test func `a status that is not registered is shown by its class`() {
        let counters = Counters()
        for status in [299, 298, 499, 599, 404] { counters.noteAPIAnswer(status) }
        let shown = lines([], control: counters.values).filter { $0.hasPrefix("requests_api{") }
        #expect(
            Set(shown) == [
                #"requests_api{status="404"} 1"#, #"requests_api{status="599"} 1"#,
                #"requests_api{status="2xx"} 2"#, #"requests_api{status="4xx"} 1"#,
            ])
    }

    @Test func `processor time is told by mode and in all`() {
        var usage = ProcessUsage.now()
        usage.userSeconds = 1.5
        usage.systemSeconds = 0.25
        let lines = lines([], usage: usage)
        #expect(lines.contains("process_cpu_user_seconds_total 1.5"))
        #expect(lines.contains("process_cpu_system_seconds_total 0.25"))
        #expect(lines.contains("process_cpu_seconds_total 1.75"))
    }
}
