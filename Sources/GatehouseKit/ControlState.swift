import GatehouseProxy

/// What the control loop owns of the product.
final class ControlState {
    private(set) var blueprint: Blueprint
    let routes: HubRoutes
    /// By listener; nil where the serving loops serve it.
    var acceptors: [ConnectionAcceptor?] = []

    init(blueprint: Blueprint, routes: HubRoutes) {
        self.blueprint = blueprint
        self.routes = routes
    }

    /// Takes up another configuration.
    func take(_ blueprint: Blueprint) {
        self.blueprint = blueprint
        for (index, acceptor) in acceptors.enumerated() where index < blueprint.tls.count {
            acceptor?.options.tls = blueprint.tls[index]
            acceptor?.options.settings = blueprint.connectionSettings[index]
        }
    }
}
