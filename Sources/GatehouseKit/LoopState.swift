import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy

/// What one loop owns of the product.
final class LoopState {
    /// Its number among the serving loops.
    let index: Int
    let core: LoopCore
    var blueprint: Blueprint
    var gate: GateSnapshot
    let pool: UpstreamPool
    let live = LiveConnections()
    let counters = Counters()
    private(set) var accessLog: AccessLog?
    private let accessSink: Gateway.AccessSink
    let log: Log
    let listeners = ListenerSet()
    /// The routes of the API.
    private(set) var apiRoutes: RouteTable<Route>
    /// Whether a path below a user prefix may fall through to a shorter route.
    var isTableComplete = true
    private var nextID: UInt64

    init(
        index: Int, core: LoopCore, blueprint: Blueprint, gate: GateSnapshot, resolver: Resolver,
        accessSink: @escaping Gateway.AccessSink, log: Log
    ) {
        self.index = index
        self.core = core
        self.blueprint = blueprint
        self.gate = gate
        self.accessSink = accessSink
        self.log = log
        apiRoutes = RouteTable(readings: blueprint.readings)
        pool = UpstreamPool(
            core: core, resolver: resolver, limits: blueprint.configuration.limits)
        nextID = UInt64.random(in: .min ... .max)
        takeSettings()
        core.atPassEnd { [weak self] in self?.accessLog?.flush() }
    }

    /// Takes up another configuration: what the rules no longer allow ends (WebSockets with 1008).
    /// For a request that waits for its body the decision at its start holds.
    func take(_ blueprint: Blueprint, _ gate: GateSnapshot) {
        let old = self.blueprint.routes.compactMap(\.target)
        let kept = Set(blueprint.routes.compactMap(\.target).map(ObjectIdentifier.init))
        self.blueprint = blueprint
        self.gate = gate
        takeSettings()
        for target in old where !kept.contains(ObjectIdentifier(target)) { pool.forget(target) }
        var dead: [any Exchange] = []
        live.forEach { exchange, session in
            guard let exchange = exchange as? any Exchange else { return }
            if exchange.isWaitingForBody { return }
            let bearer = (exchange.memo as? ConnectionMemo)?.bearer
            if !gate.stillAllows(exchange.request, session, bearer) { dead.append(exchange) }
        }
        for exchange in dead { exchange.end(.accessChanged) }
    }

    private func takeSettings() {
        let configuration = blueprint.configuration
        pool.limits = configuration.limits
        pool.maximumConnections = share
        accessLog?.flush()
        accessLog =
            configuration.log.access
            ? AccessLog(format: configuration.log.format, sink: accessSink) : nil
    }

    /// Connections of clients that fit, and as many to servers.
    private var share: Int {
        let all = ProcessLimits.maximumConnections(blueprint.configuration.limits)
        return max(16, all / Gateway.loopCount(blueprint.configuration))
    }

    /// Takes up the listeners of the configuration that it has.
    func take(_ listeners: [PlacedListener], _ pipeline: RequestPipeline) {
        let blueprint = blueprint
        let (share, log, name) = (share, log, "loop-\(index)")
        pool.ownAddresses = listeners.map(\.listener)
            .filter { $0.settings.role == .public && $0.settings.redirect == nil }
            .compactMap(\.address)
        self.listeners.take(listeners, core: core) {
            $0.file(ofLoop: index)
        } responder: { place -> any Responder in
            blueprint.redirects[place].map { RedirectResponder($0, pipeline) } ?? pipeline
        } options: { place in
            ConnectionAcceptor.Options(
                tls: blueprint.tls[place], settings: blueprint.connectionSettings[place],
                maximumConnections: share,
                onFull: { count in
                    log.warning(
                        "no room for more connections: idle ones are closed, new ones wait",
                        ("connections", "\(count)"), ("loop", name))
                })
        }
    }

    /// Takes up what the API has changed.
    func take(_ changes: [RouteChange]) {
        let hostRouting = blueprint.isHostRouting
        for change in changes {
            switch change {
            case .set(let route):
                let key = RouteAddress(of: route).key(hostRouting: hostRouting)
                let old = apiRoutes.replace(route, host: key.host, prefix: key.prefix)
                if let target = old?.target, target !== route.target { pool.forget(target) }
            case .remove(let address):
                let key = address.key(hostRouting: hostRouting)
                let old = apiRoutes.value(host: key.host, prefix: key.prefix)
                apiRoutes.remove(host: key.host, prefix: key.prefix)
                if let target = old?.target { pool.forget(target) }
            }
        }
    }

    /// A fresh id: not guessable from the one before (an odd step, then a mix).
    func makeID() -> RequestID {
        nextID &+= 0x9E37_79B9_7F4A_7C15
        var mixed = nextID
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return RequestID(mixed ^ (mixed >> 31))
    }
}

/// What a connection remembers between its requests.
final class ConnectionMemo {
    /// The client's address, but for requests that a trusted front hands over.
    let peer: String
    var session = SessionMemo()
    /// Who bears the token that let the exchange in flight pass.
    var bearer: HubBearer?
    /// Of the exchange that has become a tunnel, until its end.
    var record: AccessRecord?
    var ticket: LiveTicket?

    init(peer: String) { self.peer = peer }
}
