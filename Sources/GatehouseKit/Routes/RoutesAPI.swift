import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy

/// `/api/routes` as JupyterHub speaks it: configurable-http-proxy's REST API, on the control loop.
final class RoutesAPI: Responder {
    private static let base = "/api/routes"
    /// Bytes of a listing that are sent at a time.
    private static let pieceSize = 64 * 1024

    private let routes: HubRoutes
    private let log: Log
    /// nil: everybody may.
    private let token: Secret?
    private let counters: Counters
    /// As the configuration now is.
    private let blueprint: () -> Blueprint

    init(
        _ routes: HubRoutes, token: Secret?, log: Log, counters: Counters,
        blueprint: @escaping () -> Blueprint
    ) {
        self.counters = counters
        self.routes = routes
        self.token = token
        self.log = log
        self.blueprint = blueprint
    }

    func respond(to exchange: any Exchange) async {
        var note = ""
        do throws(ExchangeFailure) {
            try await answer(exchange, &note)
        } catch {
            exchange.account.failure = error
            if exchange.account.status == 0, error.reason != .clientGone {
                await exchange.send(Response(error.status))
            }
        }
        write(exchange, note)
    }

    func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async {
        exchange.account.failure = failure
        await exchange.send(Response(failure.status))
        write(exchange, failure.word)
    }

    func handshakeHasFailed(_ peer: Address, _ error: StreamError) {
        if case .tls = error { counters.handshakeHasFailed() }
    }

    private func answer(
        _ exchange: any Exchange, _ note: inout String
    ) async throws(ExchangeFailure) {
        let request = exchange.request
        guard let path = RoutesAPI.argument(request.path()) else {
            note = "Not Found"
            return await exchange.send(RoutesAPI.plain(404, note))
        }
        guard [.get, .post, .delete].contains(request.method) else {
            note = "Method not supported"
            var refusal = RoutesAPI.plain(405, note)
            refusal.head.fields.append(.allow, "GET, POST, DELETE")
            return await exchange.send(refusal)
        }
        guard isAuthorized(request) else { return await exchange.send(Response(403)) }
        guard PathReading.check(request.path()) != .invalid,
            let decoded = PercentCoding.decode(path)
        else {
            return await exchange.send(RoutesAPI.plain(400, "The path of the route is no path"))
        }
        let address = RouteAddress(decoded, hostRouting: blueprint().isHostRouting)
        switch request.method {
        case .get where decoded.isEmpty || decoded == "/": try await list(exchange)
        case .get: await get(address, exchange)
        case .post: try await add(address, exchange, &note)
        default: await remove(address, exchange)
        }
    }

    /// What follows `/api/routes`; nil for another path.
    private static func argument(_ path: borrowing Span<UInt8>) -> String? {
        guard path.count >= base.utf8.count,
            path.extracting(0..<base.utf8.count).equals("/api/routes")
        else { return nil }
        guard path.count == base.utf8.count || path[base.utf8.count] == 0x2F else { return nil }
        return path.extracting(base.utf8.count..<path.count).text
    }

    /// `Authorization: token T`, or `Bearer T` (RFC 6750 §2.1).
    private func isAuthorized(_ request: borrowing RequestHead) -> Bool {
        guard let token else { return true }
        guard let line = request.fields.firstIndex(of: .authorization) else { return false }
        let value = request.fields.value(at: line)
        let end = value.offset(of: UInt8(ascii: " "))
        let scheme = value.extracting(0..<end)
        guard scheme.equals("token") || scheme.equalsIgnoringCase("bearer"), end < value.count
        else { return false }
        return token == Secret(value.extracting(end..<value.count).trimmed.array)
    }

    // MARK: Methods

    private func list(_ exchange: any Exchange) async throws(ExchangeFailure) {
        var limit: Int64?
        switch RoutesAPI.inactiveSince(exchange.request.query()) {
        case .failure(let refusal):
            return await exchange.send(RoutesAPI.plain(400, refusal.text))
        case .success(let time): limit = time
        }
        if limit == nil { routes.noteListing() }
        counters.routesWereListed()
        var head = ResponseHead(200)
        head.fields.append(.contentType, "application/json")
        try await exchange.begin(head)
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        var isFirst = true
        for route in routes.all.all {
            if let limit, route.lastActivityMilliseconds >= limit { continue }
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes += JSONValue.string(RouteAddress(of: route).path).encoded()
            bytes.append(UInt8(ascii: ":"))
            RouteData.append(route, to: &bytes)
            if bytes.count > RoutesAPI.pieceSize {
                try await exchange.write(bytes)
                bytes.removeAll(keepingCapacity: true)
            }
        }
        bytes.append(UInt8(ascii: "}"))
        try await exchange.write(bytes)
        try await exchange.finish()
    }

    private func get(_ address: RouteAddress, _ exchange: any Exchange) async {
        guard let route = routes.all[address] else { return await exchange.send(Response(404)) }
        var bytes: [UInt8] = []
        RouteData.append(route, to: &bytes)
        var response = Response(200, body: bytes)
        response.head.fields.append(.contentType, "application/json")
        await exchange.send(response)
    }

    private func add(
        _ address: RouteAddress, _ exchange: any Exchange, _ note: inout String
    ) async throws(ExchangeFailure) {
        let blueprint = blueprint()
        let limit = blueprint.configuration.limits.routeBody
        let body = try await exchange.body(atMost: limit)
        do throws(RouteData.Refusal) {
            let (route, reading) = try blueprint.route(
                at: address, object: body, previous: routes.all[address])
            let target = URLText.withoutUserInformation(reading.target)
            log.info("Adding route \(address.path) -> \(target)")
            if reading.isHub { routes.noteHub() }
            await routes.add(route)
            log.info("Route added \(address.path) -> \(target)")
            counters.routeWasAdded()
            await exchange.send(Response(201))
        } catch {
            note = error.text
            await exchange.send(RoutesAPI.plain(400, error.text))
        }
    }

    private func remove(_ address: RouteAddress, _ exchange: any Exchange) async {
        log.info("Removing route \(address.path)")
        let existed = await routes.remove(address)
        counters.routeWasDeleted()
        await exchange.send(Response(existed ? 204 : 404))
    }

    /// The filter of a listing, in milliseconds; nil without one.
    private static func inactiveSince(
        _ query: borrowing Span<UInt8>
    ) -> Result<Int64?, RouteData.Refusal> {
        // A filter that is overlooked would give all routes, to be culled perhaps.
        let fields = FormFields(lenient: query.array)
        let names = ["inactiveSince", "inactive_since"]
        let text = names.lazy.compactMap { fields[$0] }.first { !$0.isEmpty } ?? ""
        guard !text.isEmpty else { return .success(nil) }
        guard let time = ISODate.parse(text) else {
            return .failure(
                RouteData.Refusal(text: "Invalid datestamp '\(text)' must be ISO8601."))
        }
        return .success(time.milliseconds)
    }

    private static func plain(_ status: Int, _ text: String) -> Response {
        Response(status, contentType: "text/plain; charset=utf-8", text)
    }

    /// `201 POST /api/routes/user/alice`: by its status at info, warning or error.
    private func write(_ exchange: any Exchange, _ note: String) {
        let status = exchange.account.status
        guard status > 0 else { return }
        counters.noteAPIAnswer(status)
        let level: Log.Level =
            switch status {
            case ..<400: .info
            case ..<500: .warning
            default: .error
            }
        log.write(level, RoutesAPI.line(exchange.request, status, note))
    }

    private static func line(
        _ request: borrowing RequestHead, _ status: Int, _ note: String
    ) -> String {
        let method = request.methodName().repairedText
        let path = request.path().repairedText
        return "\(status) \(method) \(path)\(note.isEmpty ? "" : " " + note)"
    }
}
