import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy

/// What a listener of the role `metrics` serves, on the control loop: `/metrics` to any method,
/// `/healthz` and `/readyz`. Everything else is 404, as with configurable-http-proxy.
final class MetricsResponder: Responder {
    private let loops: LoopGroup
    /// It keeps the acceptor that keeps this.
    private weak var state: ControlState?
    private let core: LoopCore
    private let started: Timestamp

    init(_ loops: LoopGroup, _ state: ControlState, core: LoopCore) {
        self.loops = loops
        self.state = state
        self.core = core
        started = .now()
    }

    func respond(to exchange: any Exchange) async {
        let target = exchange.request.target()
        let response: Response
        if target.equals("/metrics") {
            response = await metrics()
        } else if target.equals("/healthz") {
            response = health(exchange.request.method, "OK")
        } else if target.equals("/readyz") {
            response = health(exchange.request.method, await readiness())
        } else {
            response = Response(
                404, contentType: "text/plain; charset=utf-8", "Not Found")
        }
        await exchange.send(response)
    }

    func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async {
        await exchange.send(Response(failure.status))
    }

    func handshakeHasFailed(_ peer: Address, _ error: StreamError) {
        if case .tls = error { state?.counters.handshakeHasFailed() }
    }

    private func metrics() async -> Response {
        let reports = await reports()
        guard let state else { return Response(503) }
        let configuration = state.blueprint.configuration
        let report = MetricsReport(
            loops: reports, control: state.counters.values,
            controlConnections: state.listeners.connections,
            controlSlowPasses: core.slowPasses,
            configuredRoutes: configuration.routes.count, apiRoutes: state.routes.all.count,
            storeFailures: state.routes.stored?.failureCount ?? 0,
            usage: ProcessUsage.now(), started: started)
        var response = Response(200, body: report.text)
        response.head.fields.append(.contentType, PrometheusText.contentType)
        return response
    }

    /// From each serving loop, one after the other: a scrape costs each of them one short job.
    private func reports() async -> [LoopReport] {
        var reports: [LoopReport] = []
        for loop in loops.serving {
            let report = await loop.run { loop in (loop.attachment as? LoopState)?.report }
            if let report { reports.append(report) }
        }
        return reports
    }

    /// Asks every loop, so that one that is stuck shows too.
    private func readiness() async -> String {
        let reports = await reports()
        guard let state, !state.isDraining else { return "draining" }
        return reports.allSatisfy(\.isTableComplete) ? "OK" : "routes incomplete"
    }

    private func health(_ method: Method, _ status: String) -> Response {
        guard method == .get || method == .head else {
            var refusal = Response(405)
            refusal.head.fields.append(.allow, "GET, HEAD")
            return refusal
        }
        var response = Response(
            status == "OK" ? 200 : 503, contentType: "application/json",
            #"{"status":"\#(status)"}"#)
        response.head.fields.append(.cacheControl, "no-store")
        return response
    }
}
