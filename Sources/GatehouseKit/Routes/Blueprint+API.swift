import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseNet
import GatehouseProxy

/// Routes of the API, under the settings in force.
extension Blueprint {
    /// Makes a route of an object. A target that is no URL is kept: requests get 500, the API gives
    /// it back.
    ///
    /// - Parameter previous: what was there before; its connections go on being used where the
    ///   target is the same.
    func route(
        at address: RouteAddress, object: [UInt8], previous: Route? = nil,
        lastActivity: Timestamp = .now(), confirmed: Timestamp = .now()
    ) throws(RouteData.Refusal) -> (route: Route, reading: RouteData.Reading) {
        let key = address.key(hostRouting: isHostRouting)
        let reading = try RouteData.read(object, host: isHostRouting ? key.host ?? "" : nil)
        let url = TargetURL(parsing: reading.target)
        let covering = covering(key)
        var target: UpstreamTarget? = url.flatMap { self.target(of: $0, covering: covering) }
        let description = target?.description
        if let known = previous?.target, known.description == description { target = known }
        let rewriting = Blueprint.rewriting(url, key.prefix, configuration.forwarding)
        let route = Route(
            name: address.path, target: target,
            rules: apiRules.rules(
                covering: covering, isHub: hub.isHub(prefix: Array(key.prefix.utf8)[...])
            ).rewriting(rewriting),
            host: key.host, prefix: key.prefix,
            data: RouteData.kept(
                target: reading.target, members: reading.members, description: description),
            lastActivity: lastActivity, confirmed: confirmed)
        return (route, reading)
    }

    /// The same route under these settings; nil where it cannot be one any more.
    func remade(_ route: Route) -> Route? {
        try? self.route(
            at: RouteAddress(of: route), object: RouteData.object(of: route),
            lastActivity: Timestamp(milliseconds: route.lastActivityMilliseconds),
            confirmed: Timestamp(milliseconds: route.confirmedMilliseconds)
        ).route
    }

    /// Whether the first segment of an address is a host.
    var isHostRouting: Bool { configuration.routesAPI.hostRouting }

    private func target(of url: TargetURL, covering: Int?) -> UpstreamTarget? {
        let settings =
            covering.map { configuration.routes[$0].upstream } ?? configuration.routesAPI.upstream
        return UpstreamTarget(
            url, tls: apiTLS, settings?.connectTimeout ?? configuration.limits.connectTime,
            firstByteTimeout: settings?.firstByteTimeout, responseIdle: settings?.responseIdle,
            maximumConnections: Blueprint.perLoop(settings?.maximumConnections, configuration))
    }

    /// The place of the longest configured route that covers one of the API, which inherits its
    /// settings; nil where there is none: those of `routes_api`.
    private func covering(_ key: (host: String?, prefix: String)) -> Int? {
        let routes = configuration.routes
        let covering = routes.indices.filter { index in
            let route = routes[index]
            return (route.host == nil || route.host == key.host)
                && (route.path == "/" || key.prefix == route.path
                    || key.prefix.hasPrefix(route.path + "/"))
        }
        return covering.max { routes[$0].path.utf8.count < routes[$1].path.utf8.count }
    }
}

extension UpstreamTarget {
    /// The server that a URL names; nil where there can be none.
    convenience init?(
        _ url: TargetURL, tls: ClientTLS, _ connectTimeout: Duration,
        firstByteTimeout: Duration? = nil, responseIdle: Duration? = nil,
        maximumConnections: Int? = nil
    ) {
        switch url.place {
        case .tcp(let host, let port):
            self.init(
                host: host, port: port, tls: url.isTLS ? tls : nil,
                connectTimeout: connectTimeout, firstByteTimeout: firstByteTimeout,
                responseIdle: responseIdle, maximumConnections: maximumConnections)
        case .unix(let path):
            self.init(
                socketPath: path, connectTimeout: connectTimeout,
                firstByteTimeout: firstByteTimeout, responseIdle: responseIdle,
                maximumConnections: maximumConnections)
        }
    }
}
