import GatehouseGate

extension RouteIdentity {
    /// Of routes that get no identity fields: user servers and services are other people's code.
    static let none = RouteIdentity(identityHeaders: [])
}
