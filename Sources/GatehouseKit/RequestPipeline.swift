import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy

/// The life of a request. The only place that knows the order of the stages.
final class RequestPipeline: Responder {
    let state: LoopState
    private let gate: Gate
    let pages = PageRenderer()

    init(_ state: LoopState, gate: Gate) {
        self.state = state
        self.gate = gate
    }

    func respond(to exchange: any Exchange) async {
        let id = state.makeID()
        let memo = memo(of: exchange)
        var record = AccessRecord(id: id)
        do throws(ExchangeFailure) {
            try await handle(exchange, memo, &record)
        } catch {
            exchange.account.failure = error
            await answer(exchange, error, record)
        }
        state.counters.note(exchange.account, record.kind, now: state.core.now)
        if exchange.hasTunnel {
            state.counters.tunnelHasBegun()
            memo.record = record
        } else {
            state.accessLog?.write(exchange, record, peer: exchange.client ?? memo.peer)
        }
    }

    func tunnelHasEnded(_ exchange: any Exchange) {
        let memo = memo(of: exchange)
        if let ticket = memo.ticket { state.live.remove(ticket) }
        guard let record = memo.record else { return }
        state.counters.tunnelHasEnded(exchange.account)
        state.accessLog?.write(exchange, record, peer: exchange.client ?? memo.peer)
    }

    func handshakeHasFailed(_ peer: Address, _ error: StreamError) {
        switch error {
        case .tls(let reason):
            state.counters.handshakeHasFailed()
            state.log.info("TLS handshake failed", ("peer", peer.host), ("error", reason))
        default:
            // Scanners, and probes that only look whether somebody listens.
            state.log.debug("no TLS handshake", ("peer", peer.host), ("error", "\(error)"))
        }
    }

    func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async {
        let id = state.makeID()
        exchange.account.failure = failure
        await answer(exchange, failure, AccessRecord(id: id))
        state.counters.noteRefusal(exchange.account)
        let peer = exchange.client ?? memo(of: exchange).peer
        state.accessLog?.write(exchange, AccessRecord(id: id), peer: peer)
    }

    /// match route → gate → forward; the match is shown to nobody before the gate has passed.
    private func handle(
        _ exchange: any Exchange, _ memo: ConnectionMemo, _ record: inout AccessRecord
    ) async throws(ExchangeFailure) {
        var blueprint = state.blueprint
        let request = exchange.request
        record.kind = RequestKind(request)
        let looked = record.kind == .health ? nil : state.counters.beginLookUp()
        var match = match(request, blueprint)
        state.counters.endLookUp(looked)
        var arrival = Arrival(
            peer: exchange.client ?? memo.peer, isTLS: exchange.isTLS, now: state.core.now,
            front: exchange.front)
        var decision = decide(request, arrival, match, nil, memo)
        while case .ask(let question) = decision {
            let answer = await question.answer()
            state.counters.note(answer.verdict)
            // Routes and rules may be others by now.
            blueprint = state.blueprint
            match = self.match(request, blueprint)
            arrival.now = state.core.now
            decision = decide(request, arrival, match, answer, memo)
        }
        let route: Route? = if case .route(let found) = match { found } else { nil }
        let passage: Passage
        switch consume decision {
        case .pass(let allowed): passage = allowed
        case let refusal: return try await answer(refusal, exchange, arrival, record.id)
        }
        record.shownTarget = passage.edits.target
        if case .disagreeing = match { throw ExchangeFailure(.malformed(MessageError(.target))) }
        if !state.isTableComplete, isMissing(route, request, blueprint) {
            throw ExchangeFailure(.routesIncomplete)
        }
        guard let route else { throw ExchangeFailure(.noRoute) }
        record.route = route
        record.user = passage.session
        record.bearer = passage.bearer
        memo.bearer = passage.bearer
        let isUpgrade = request.fields.lists(.upgrade, "websocket")
        if try await forward(exchange, isUpgrade, to: route, passage, memo, record.id) { return }
        // Its session has ended since: it gets what a request without session gets.
        record = AccessRecord(id: record.id)
        record.kind = RequestKind(request)
        let second = state.gate.decide(
            request, arrival, route: route.rules.identity, prefix: route.prefix,
            memo: &memo.session)
        try await answer(second, exchange, arrival, record.id)
    }

    private func decide(
        _ request: borrowing RequestHead, _ arrival: Arrival, _ match: RouteMatch<Route>,
        _ answer: TokenAnswer?, _ memo: ConnectionMemo
    ) -> Decision {
        let route: Route? = if case .route(let found) = match { found } else { nil }
        return state.gate.decide(
            request, arrival, route: route?.rules.identity, prefix: route?.prefix ?? [],
            answer: answer, memo: &memo.session)
    }

    /// Answers what is not forwarded.
    private func answer(
        _ decision: Decision, _ exchange: any Exchange, _ arrival: Arrival, _ id: RequestID
    ) async throws(ExchangeFailure) {
        switch decision {
        case .answer(let answer):
            await send(answer, to: exchange, id)
        case .own(let endpoint, let bodyLimit):
            let body = try await exchange.body(atMost: bodyLimit)
            let answer = await gate.serve(
                endpoint, exchange.request, body: body, arrival: arrival)
            await send(answer, to: exchange, id)
        case .pass, .ask:
            // Only where it has been tried, and its session had ended.
            throw ExchangeFailure(.sessionEnded)
        }
    }

    /// Of a configured route and one of the API the more precise decides; the API's, where both name
    /// the same path.
    private func match(
        _ request: borrowing RequestHead, _ blueprint: Blueprint
    ) -> RouteMatch<Route> {
        let reading = PathReading.check(request.path())
        guard reading != .invalid else { return .none }
        let configured = match(request, reading, in: blueprint.table)
        guard state.apiRoutes.count > 0 else { return configured }
        switch (configured, match(request, reading, in: state.apiRoutes)) {
        case (.disagreeing, _), (_, .disagreeing): return .disagreeing
        case (.none, let made): return made
        case (_, .none): return configured
        case (.route(let one), .route(let other)):
            return one.isMorePrecise(than: other) ? configured : .route(other)
        }
    }

    private func match<Value>(
        _ request: borrowing RequestHead, _ reading: PathReading, in table: RouteTable<Value>
    ) -> RouteMatch<Value> {
        guard let host = request.fields.firstIndex(of: .host) else {
            return table.match(host: Span(), path: request.path(), reading)
        }
        return table.match(
            host: request.fields.value(at: host), path: request.path(), reading)
    }

    /// Whether a request is a certificate authority's challenge, and a route is there for these.
    func isChallenge(_ request: borrowing RequestHead) -> Bool {
        guard case .route(let route) = match(request, state.blueprint) else { return false }
        return GateSnapshot.isChallenge(request.path(), prefix: route.prefix)
    }

    /// Whether the path is a user's and its route may be one that the Hub has yet to tell.
    private func isMissing(
        _ route: Route?, _ request: borrowing RequestHead, _ blueprint: Blueprint
    ) -> Bool {
        let reading = PathReading.check(request.path())
        guard
            case .route(let depth) = match(request, reading, in: blueprint.userPrefixes)
        else { return false }
        return (route?.depth ?? 0) <= depth
    }

    /// Registers first and looks then whether the session has ended: whichever comes first, no
    /// exchange outlives its session.
    ///
    /// - Returns: false where the session has ended; nothing was forwarded then.
    private func forward(
        _ exchange: any Exchange, _ isUpgrade: Bool, to route: Route, _ passage: Passage,
        _ memo: ConnectionMemo, _ id: RequestID
    ) async throws(ExchangeFailure) -> Bool {
        var onActivity: (() -> Void)?
        let ticket: LiveTicket
        if let session = passage.session {
            let limit = state.blueprint.configuration.limits.sessionExchanges
            switch state.live.register(exchange, under: session, limit: limit) {
            case .registered(let given): ticket = given
            case .ended: return false
            case .tooMany: throw ExchangeFailure(.tooManyExchanges)
            }
            if isUpgrade, passage.countsFrames {
                let core = state.core
                onActivity = { session.touch(core.now) }
            }
        } else {
            ticket = state.live.register(exchange)
        }
        defer {
            if exchange.hasTunnel { memo.ticket = ticket } else { state.live.remove(ticket) }
        }
        defer {
            if passage.substitute != nil, let session = passage.session { endLater(session) }
        }
        guard let target = route.target else {
            // As where it fails: a log out does not wait for the Hub to be well.
            guard let substitute = passage.substitute else { throw ExchangeFailure(.badTarget) }
            await exchange.send(substitute.response)
            return true
        }
        state.log.debug(
            "PROXY \(isUpgrade ? "WS" : "WEB") \(exchange.request.path().repairedText) to "
                + target.description)
        var forwarding = Forwarding(
            target: target, edits: passage.edits, review: passage.review,
            pool: state.pool, requestID: id, rewriting: route.rules.rewriting,
            onActivity: onActivity,
            onRouteActivity: activity(
                of: route, isUpgrade || !passage.isActivity ? nil : passage.session))
        forwarding.maximumBody = route.rules.maximumBody
        forwarding.substitute = passage.substitute
        try await exchange.forward(forwarding)
        let status = exchange.account.status
        if status >= 300 {
            state.log.debug(
                "Not recording activity for status \(status) on "
                    + String(decoding: route.name, as: UTF8.self))
        }
        return true
    }

    /// How long a browser has to come on from JupyterHub's log out to ours.
    private static let wayToLogout = Duration.milliseconds(500)

    /// Lets no session outlive its log out at JupyterHub.
    private func endLater(_ session: Session) {
        let (gate, core) = (gate, state.core)
        core.fork {
            await EventLoop.sleep(RequestPipeline.wayToLogout, on: core)
            await gate.endUnfollowed(session)
        }
    }

    /// What is to be told of a route's use; nil for one that nobody asks about.
    ///
    /// - Parameter sender: whose body of a request it is, which is something that the user does.
    private func activity(
        of route: Route, _ sender: Session?
    ) -> ((RouteActivity) -> Void)? {
        let core = state.core
        guard route.isOfAPI else {
            return sender.map { sender in
                { if $0 == .fromClient { sender.touch(core.now) } }
            }
        }
        let countsTraffic = state.blueprint.configuration.routesAPI.activity == .traffic
        let counters = state.counters
        return { activity in
            if activity == .fromClient { sender?.touch(core.now) }
            guard countsTraffic || activity != .fromServer else { return }
            counters.noteActivity { route.touch() }
        }
    }

    private func memo(of exchange: any Exchange) -> ConnectionMemo {
        if let memo = exchange.memo as? ConnectionMemo { return memo }
        let memo = ConnectionMemo(peer: exchange.peer.host)
        exchange.memo = memo
        return memo
    }
}
