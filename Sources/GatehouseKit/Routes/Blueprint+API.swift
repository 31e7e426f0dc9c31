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
        at address: RouteAddress, object: [UInt8], previous: Route? = nil
    ) throws(RouteData.Refusal) -> (route: Route, reading: RouteData.Reading) {
        let key = address.key(hostRouting: isHostRouting)
        let reading = try RouteData.read(object, host: isHostRouting ? key.host ?? "" : nil)
        let url = TargetURL(parsing: reading.target)
        var target: UpstreamTarget? = url.flatMap { self.target(of: $0, at: address) }
        let description = target?.description
        if let known = previous?.target, known.description == description { target = known }
        let rewriting = Blueprint.rewriting(url, key.prefix, configuration.forwarding)
        let route = Route(
            name: address.path, target: target,
            rules: rewriting.isEmpty
                ? .plain : RouteRules(identity: RouteRules.plain.identity, rewriting: rewriting),
            host: key.host, prefix: key.prefix,
            data: RouteData.kept(
                target: reading.target, members: reading.members, description: description))
        return (route, reading)
    }

    /// Whether the first segment of an address is a host.
    var isHostRouting: Bool { configuration.routesAPI.hostRouting }

    private func target(of url: TargetURL, at address: RouteAddress) -> UpstreamTarget? {
        let covering = covering(address)
        return UpstreamTarget(
            url, tls: apiTLS, covering?.connectTimeout ?? configuration.limits.connectTime,
            firstByteTimeout: covering?.firstByteTimeout, responseIdle: covering?.responseIdle,
            maximumConnections: Blueprint.perLoop(covering?.maximumConnections, configuration))
    }

    /// The settings that a route of the API inherits: those of the longest configured route that
    /// covers it, else those of `routes_api`.
    private func covering(_ address: RouteAddress) -> UpstreamSettings? {
        let key = address.key(hostRouting: isHostRouting)
        let covering = configuration.routes.filter { route in
            (route.host == nil || route.host == key.host)
                && (route.path == "/" || key.prefix == route.path
                    || key.prefix.hasPrefix(route.path + "/"))
        }
        let longest = covering.max { $0.path.utf8.count < $1.path.utf8.count }
        return longest?.upstream ?? configuration.routesAPI.upstream
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
