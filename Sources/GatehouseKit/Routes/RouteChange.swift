/// A change of the table that every loop takes up.
enum RouteChange: Sendable {
    case set(Route)
    case remove(RouteAddress)
}
