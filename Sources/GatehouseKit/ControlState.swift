import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import GatehouseProxy

/// What the control loop owns of the product.
final class ControlState {
    /// For the disk, at the end. A process that leaves loses nothing that was committed.
    private static let closePatience = Duration.milliseconds(200)

    var blueprint: Blueprint
    let routes: HubRoutes
    let counters: Counters
    let listeners = ListenerSet()
    /// Whether the gateway is stopping: it is not ready any more.
    private(set) var isDraining = false

    init(blueprint: Blueprint, routes: HubRoutes, counters: Counters) {
        self.blueprint = blueprint
        self.routes = routes
        self.counters = counters
    }

    /// Closes the listeners but those of metrics, which tell of the stop until it is done.
    func drain() {
        isDraining = true
        for acceptor in listeners.acceptors({ $0 != .metrics }) { acceptor.drain() }
    }

    /// Gives the stored routes to the next process, which may be starting already: once what was
    /// asked of the routes API is answered, or cut off, nothing changes them any more.
    func giveUpStore(deadline: Instant, core: LoopCore) async {
        guard let stored = routes.stored else { return }
        for acceptor in listeners.acceptors({ $0 == .api }) {
            await acceptor.waitUntilQuiet(deadline: deadline, core: core)
            acceptor.endAll()
        }
        _ = await core.fork(waitingAtMost: ControlState.closePatience) { await stored.close() }
    }
}
