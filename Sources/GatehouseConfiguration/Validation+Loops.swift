import GatehouseBase

/// Upstreams that are this gateway.
extension Validation {
    /// A route to a listener of ours goes round until nothing is left to go round with. Judged by
    /// what is written, without asking for names: while it serves, the addresses tell.
    mutating func checkLoops() {
        for upstream in configuration.upstreams {
            refuseLoop(upstream, "upstreams.\(upstream.name).url", "upstreams.\(upstream.name)")
        }
        for (index, route) in configuration.routes.enumerated() where !route.upstream.isNamed {
            refuseLoop(route.upstream, "routes[\(index)].upstream", "routes[\(index)]")
        }
    }

    private mutating func refuseLoop(
        _ upstream: UpstreamSettings, _ path: String, _ parent: String
    ) {
        let listener = configuration.listeners.first {
            $0.role == .public && $0.redirect == nil && $0.address.isReached(by: upstream.url)
        }
        guard let listener else { return }
        error(
            path, parent,
            message: "'\(path)' is '\(upstream.url)', which is this gateway itself: it listens on "
                + "'\(listener.address)', and a request would go round in a circle",
            hint: "write the application's own address, or let the gateway listen elsewhere")
    }
}

extension ListenerAddress {
    /// Whether a connection to `origin` surely comes here.
    fileprivate func isReached(by origin: Origin) -> Bool {
        guard case .tcp(let host, let port) = self, port == origin.port else { return false }
        // Who connects to no address in particular comes to this machine.
        let (theirs, four) = (origin.host, "127.0.0.1")
        let other = theirs == "0.0.0.0" ? four : theirs == "::" ? "::1" : theirs
        if host == other { return true }
        let isLocal = origin.isLoopback || theirs != other
        switch host {
        case "::": return isLocal
        case "0.0.0.0": return isLocal && other != "::1"
        case "localhost": return other == four || other == "::1"
        case "127.0.0.1", "::1": return other == "localhost" || other.hasSuffix(".localhost")
        default: return false
        }
    }
}
