import GatehouseBase
import GatehouseGate
import GatehouseNet
import GatehouseProxy

/// What one loop owns of the product.
final class LoopState {
    let core: LoopCore
    var blueprint: Blueprint
    var gate: GateSnapshot
    let pool: UpstreamPool
    let live = LiveConnections()
    let accessLog: AccessLog?
    var acceptors: [ConnectionAcceptor] = []
    private var nextID: UInt64

    init(
        core: LoopCore, blueprint: Blueprint, gate: GateSnapshot, resolver: Resolver,
        accessLog: AccessLog?
    ) {
        self.core = core
        self.blueprint = blueprint
        self.gate = gate
        self.accessLog = accessLog
        pool = UpstreamPool(
            core: core, resolver: resolver, limits: blueprint.configuration.limits)
        nextID = UInt64.random(in: .min ... .max)
        if let accessLog { core.atPassEnd { accessLog.flush() } }
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
    let peer: String
    var session = SessionMemo()

    init(peer: String) { self.peer = peer }
}
