import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy

/// What is answered in place of an upstream: the gate's answers, and pages for what failed.
extension RequestPipeline {
    func send(_ answer: GateAnswer, to exchange: any Exchange, _ id: RequestID) async {
        switch answer {
        case .response(let response):
            await exchange.send(response)
        case .page(let page, let status, let fields):
            await exchange.send(
                pages.render(page, status: status, fields: fields, id: id.description))
        }
    }

    func answer(
        _ exchange: any Exchange, _ failure: ExchangeFailure, _ record: AccessRecord
    ) async {
        guard failure.reason != .clientGone, exchange.account.status == 0,
            exchange.account.endCause == nil
        else { return }
        let status = status(of: failure, on: record.route)
        note(failure, status, exchange, record.id)
        if exchange.request.fields.lists(.upgrade, "websocket") {
            // Nobody reads a page there; what comes after it is another connection.
            exchange.endsAfterAnswer()
            return await exchange.send(bare(status, failure, record.route))
        }
        let isGet = exchange.request.method == .get
        let (page, fields) = page(for: failure, status, record.route, isGet: isGet)
        if var response = await customPage(status, failure, exchange, record) {
            if let seconds = fields.text(.retryAfter) {
                response.head.fields.append(.retryAfter, seconds)
            }
            if state.blueprint.configuration.oidc != nil {
                // What it shows may be one person's.
                response.head.fields.append(.cacheControl, "no-store")
                response.head.fields.append("X-Content-Type-Options", "nosniff")
            }
            return await exchange.send(response)
        }
        await exchange.send(
            pages.render(page, status: status, fields: fields, id: record.id.description))
    }

    /// An answer without a page.
    private func bare(
        _ status: Int, _ failure: ExchangeFailure, _ route: Route?
    ) -> Response {
        var response = Response(status)
        response.head.fields = page(for: failure, status, route, isGet: true).1
        return response
    }

    /// 503 for every failure of an upstream, where the settings say so, and of JupyterHub's:
    /// JupyterLab takes 502 and 504 for a dead kernel.
    private func status(of failure: ExchangeFailure, on route: Route?) -> Int {
        let settings = state.blueprint.configuration.forwarding
        let isHidden =
            settings.upstreamFailures == .unavailable || route?.rules.isJupyterHub ?? false
        return failure.fault == .upstream && isHidden ? 503 : failure.status
    }

    /// configurable-http-proxy has a line for every request that fails, and none for others. The id
    /// comes after its words: it stands on the page, and there may be no access log.
    private func note(
        _ failure: ExchangeFailure, _ status: Int, _ exchange: any Exchange, _ id: RequestID
    ) {
        guard state.blueprint.configuration.log.format == .contract else { return }
        let method = exchange.request.methodName().repairedText
        let path = exchange.request.path().repairedText
        let word = failure.systemWord.isEmpty ? "" : " \(failure.systemWord)"
        state.log.error("\(status) \(method) \(path)\(word)", ("id", id.description))
    }

    /// A page that the operator has in place of ours.
    private func customPage(
        _ status: Int, _ failure: ExchangeFailure, _ exchange: any Exchange,
        _ record: AccessRecord
    ) async -> Response? {
        guard let pages = state.blueprint.errorPages, failure.isAboutRoutes else { return nil }
        state.log.debug("Requesting custom error page: \(pages.name(of: status))")
        let abandonment = Abandonment()
        exchange.abandonment = abandonment
        defer { exchange.abandonment = nil }
        do throws(ExchangeFailure) {
            return try await pages.page(
                status, for: record.shownTarget ?? exchange.request.target().array,
                pool: state.pool,
                limits: state.blueprint.configuration.limits, abandonment: abandonment)
        } catch {
            state.log.error("Failed to get custom error page: \(error.word) \(error.detail)")
            return nil
        }
    }

    private func page(
        for failure: ExchangeFailure, _ status: Int, _ route: Route?, isGet: Bool
    ) -> (Page, Fields) {
        var fields = Fields()
        switch failure.reason {
        case .malformed(let error):
            if error.status == 426 {
                fields.append("Sec-WebSocket-Version", "13")
                fields.append(.upgrade, "websocket")
                fields.append(.connection, "upgrade")
            }
            if error.status == 405 {
                fields.append(.allow, "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS")
            }
            return (.badRequest(error.rule.rawValue), fields)
        case .clientGone, .clientTimeout:
            return (.badRequest("the request did not arrive in time"), fields)
        case .bodyTooLarge: return (.tooLarge, fields)
        case .noRoute: return (.notFound, fields)
        case .routesIncomplete:
            fields.append(.retryAfter, "2")
            // What was sent is not sent again by a page that asks again.
            return (isGet ? .starting(retryAfter: 2) : .unavailable(retryAfter: 2), fields)
        case .upstreamBusy, .noSockets:
            fields.append(.retryAfter, "2")
            return (.unavailable(retryAfter: 2), fields)
        case _ where failure.fault == .upstream && status == 503:
            if route?.rules.isJupyterHub ?? false { fields.append(.retryAfter, "5") }
            return (.unavailable(retryAfter: 5), fields)
        case .connectTimeout, .upstreamTimeout: return (.gatewayTimeout, fields)
        case .connectRefused, .nameUnresolved, .upstreamTLS, .upstreamReset, .upstreamClosed,
            .upstreamMalformed, .upstreamUpgrade:
            return (.badGateway, fields)
        case .sessionEnded:
            // A 401 must have one (RFC 9110 §15.5.2).
            fields.append(.wwwAuthenticate, "Gatehouse")
            return (.notSignedIn(signIn: "\(OwnPath.login)"), fields)
        case .tooManyExchanges:
            fields.append(.retryAfter, "2")
            return (.tooManyExchanges, fields)
        case .badTarget, .routeLoop: return (.internalError, fields)
        case .recordsFailed:
            fields.append(.retryAfter, "5")
            return (.unavailable(retryAfter: 5), fields)
        }
    }
}
