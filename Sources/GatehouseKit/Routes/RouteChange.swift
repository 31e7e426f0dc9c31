/// A change of the table that every loop takes up.
enum RouteChange: Sendable {
    case set(RouteAddress, Route)
    case remove(RouteAddress)
}
