/// Which readings of a path that is not plain a look-up follows (see `PathReading`).
public enum RoutingReadings: Sendable {
    /// All of them, and they must lead to the same route: where access depends on the path.
    case mustAgree
    /// The one of configurable-http-proxy, `PathReading.routed(_:)`: where all is public.
    case first
}
