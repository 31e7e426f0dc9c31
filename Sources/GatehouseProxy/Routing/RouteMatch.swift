/// What a look-up found. It is shown to nobody before the gate has passed.
public enum RouteMatch<Value> {
    case route(Value)
    case none
    /// Backends could read the path in ways that lead to different routes (400).
    case disagreeing
}

extension RouteMatch: Equatable where Value: Equatable {}
extension RouteMatch: Sendable where Value: Sendable {}
