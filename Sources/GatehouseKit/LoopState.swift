import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy

/// What one loop owns of the product.
final class LoopState {
    let core: LoopCore
    var blueprint: Blueprint
    var gate: GateSnapshot
    let pool: UpstreamPool
    let live = LiveConnections()
    let counters = Counters()
    let accessLog: AccessLog?
    let log: Log
    /// By listener; nil where it is served elsewhere.
    var acceptors: [ConnectionAcceptor?] = []
    /// The routes of the API.
    private(set) var apiRoutes: RouteTable<Route>
    /// Whether a path below a user prefix may fall through to a shorter route.
    var isTableComplete = true
    private var nextID: UInt64

    init(
        core: LoopCore, blueprint: Blueprint, gate: GateSnapshot, resolver: Resolver,
        accessLog: AccessLog?, log: Log
    ) {
        self.core = core
        self.blueprint = blueprint
        self.gate = gate
        self.accessLog = accessLog
        self.log = log
        apiRoutes = RouteTable(readings: blueprint.readings)
        pool = UpstreamPool(
            core: core, resolver: resolver, limits: blueprint.configuration.limits)
        nextID = UInt64.random(in: .min ... .max)
        if let accessLog { core.atPassEnd { accessLog.flush() } }
    }

    /// Takes up another configuration: what the rules no longer allow ends (WebSockets with 1008).
    /// For a request that waits for its body the decision at its start holds.
    func take(_ blueprint: Blueprint, _ gate: GateSnapshot) {
        self.blueprint = blueprint
        self.gate = gate
        for (index, acceptor) in acceptors.enumerated() where index < blueprint.tls.count {
            acceptor?.options.tls = blueprint.tls[index]
            acceptor?.options.settings = blueprint.connectionSettings[index]
        }
        var dead: [any Exchange] = []
        live.forEach { exchange, session in
            guard let exchange = exchange as? any Exchange else { return }
            if exchange.isWaitingForBody { return }
            let bearer = (exchange.memo as? ConnectionMemo)?.bearer
            if !gate.stillAllows(exchange.request, session, bearer) { dead.append(exchange) }
        }
        for exchange in dead { exchange.end(.accessChanged) }
    }

    /// Takes up what the API has changed.
    func take(_ changes: [RouteChange]) {
        let hostRouting = blueprint.isHostRouting
        for change in changes {
            switch change {
            case .set(let route):
                let key = RouteAddress(of: route).key(hostRouting: hostRouting)
                apiRoutes.set(route, host: key.host, prefix: key.prefix)
            case .remove(let address):
                let key = address.key(hostRouting: hostRouting)
                apiRoutes.remove(host: key.host, prefix: key.prefix)
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
