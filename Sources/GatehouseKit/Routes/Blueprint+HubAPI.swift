import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseProxy

/// Where JupyterHub answers questions.
extension Blueprint {
    /// `jupyterhub.api_url`, or else the Hub's own route.
    ///
    /// - Parameters:
    ///   - host: a public one; its own routes come before those of any host.
    ///   - made: the routes of the API.
    /// - Returns: nil where the Hub is not known (yet); the path does not end with a slash.
    func hubAPI(host: String, _ made: RouteSet) -> (target: UpstreamTarget, path: String)? {
        let route = hubRoute(host: host, made)
        guard let text = configuration.jupyterHub.apiURL else {
            guard let route, let target = route.target else { return nil }
            return (target, hubPath(on: route))
        }
        // A Hub that speaks TLS speaks it in one way.
        guard let url = TargetURL(parsing: text),
            let target = UpstreamTarget(
                url, tls: route?.target?.tls ?? apiTLS, configuration.limits.connectTime)
        else { return nil }
        return (target, String(decoding: url.path, as: UTF8.self))
    }

    /// The route that requests for the Hub's own API take.
    private func hubRoute(host: String, _ made: RouteSet) -> Route? {
        let outer = String(configuration.jupyterHub.baseURL.path.dropLast())
        var best: Route?
        func offer(_ route: Route?) {
            guard let route, route.rules.identity.hub?.isHub(prefix: route.prefix) == true,
                best.map({ !$0.isMorePrecise(than: route) }) ?? true
            else { return }
            best = route
        }
        for (settings, route) in zip(configuration.routes, routes)
        where settings.host == nil || settings.host == host {
            offer(route)
        }
        // As for requests: of two equally precise ones the API's.
        for path in ["/", outer, outer + "/hub"] {
            offer(made[RouteAddress(path)])
            if isHostRouting { offer(made[RouteAddress("/\(host)\(path)")]) }
        }
        return best
    }

    /// What a request for `hub/api` becomes on its way over that route.
    private func hubPath(on route: Route) -> String {
        let path = "\(configuration.jupyterHub.baseURL)hub/api"
        guard let rewriting = route.rules.rewriting else { return path }
        var buffer = ByteBuffer()
        rewriting.append(Array(path.utf8).span, to: &buffer)
        return buffer.withReadable { String(decoding: $0.array, as: UTF8.self) }
    }
}
