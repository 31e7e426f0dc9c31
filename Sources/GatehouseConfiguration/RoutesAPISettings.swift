/// `routes_api`: routes that JupyterHub adds and removes while the gateway runs.
public struct RoutesAPISettings: Sendable, Hashable {
    /// What counts as activity of a route (`last_activity`).
    public enum Activity: String, Sendable, Hashable, CaseIterable {
        /// As configurable-http-proxy counts: answers below 300, request bodies, WebSocket data
        /// from the client.
        case contract
        /// Also WebSocket data from the server, and answers that run.
        case traffic
    }

    /// `user_prefixes`: below these, below the Hub's base URL, a path does not fall through to `/`
    /// before the table is complete: 503 then, because JupyterLab takes a 404 for a dead kernel.
    public var userPrefixes = ["/user/"]
    /// `stored_route_lifetime`: a route that was read from the disk is used this long after the
    /// Hub's last confirmation, by the wall clock.
    public var storedRouteLifetime = Duration.seconds(900)
    /// `host_routing`: the first segment of a route's path is a host.
    public var hostRouting = false
    /// `activity`.
    public var activity = Activity.contract
    /// The preset of routes of the API that no configured route with a preset covers; the command
    /// decides.
    public var preset = RoutePreset.none
    /// The target of the route `/` at the start; any text, as the API takes it.
    public var defaultTarget: String?
    /// How targets of such routes are reached where no configured route covers them; name and URL
    /// mean nothing here.
    public var upstream: UpstreamSettings?

    public init() {}
}
