import GatehouseBase

/// What stands before the gateway, and the Hub behind it.
extension Validation {
    // MARK: Fronts

    mutating func checkFront(_ listener: ListenerSettings, at listenerPath: String) {
        let front = listener.front
        let path = "\(listenerPath).front"
        guard listener.role == .public else {
            guard wasWritten(path) else { return }
            error(path, message: "'\(path)' belongs to 'role: public'", hint: "remove it")
            return
        }
        let isFlag = isFlag("\(path).profile") || isFlag("\(path).trusted")
        guard front.profile != .none else {
            guard front.trustsAnybody else { return }
            error(
                "\(path).trusted", path,
                message: "'\(path).trusted' names a front, and no profile says how it speaks",
                hint: isFlag ? "add '--front nginx'" : "write 'profile: nginx'")
            return
        }
        guard listener.redirect == nil else {
            warn(
                path,
                message: "'\(path)' is not used: '\(listener.address)' redirects every request, "
                    + "also what came to the front by https", hint: "remove it")
            return
        }
        // What could not be read has been complained about.
        guard front.trustsAnybody || !wasWritten("\(path).trusted[0]") else { return }
        guard front.trustsAnybody else {
            let example = listener.isLocal ? FrontSettings.unixWord : "127.0.0.1"
            error(
                "\(path).profile", path,
                message: "'\(path)' has no 'trusted': nobody's word would be taken, and everybody "
                    + "would come from the front's own address",
                hint: isFlag ? "add '--trusted \(example)'" : "write 'trusted: [\(example)]'")
            return
        }
        checkTrusted(listener, at: path)
    }

    private mutating func checkTrusted(_ listener: ListenerSettings, at path: String) {
        let front = listener.front
        if listener.isLocal != front.trustsUnixSocket {
            let isNobody = listener.isLocal || front.trusted.isEmpty
            let message =
                listener.isLocal
                ? "'\(listener.address)' is a UNIX socket, whose peers no network of "
                    + "'\(path).trusted' has: nobody's word is taken there"
                : "'\(path).trusted' has 'unix', and '\(listener.address)' is no UNIX socket"
            let hint = listener.isLocal ? "add 'unix'" : "write the network of the front"
            if isNobody {
                error("\(path).trusted", path, message: message, hint: hint)
            } else {
                warn("\(path).trusted", path, message: message, hint: "remove 'unix'")
            }
        }
        for (index, network) in front.trusted.enumerated() {
            // No private network is wider: 10.0.0.0/8, fc00::/7.
            guard network.prefix < (network.bytes.count == 4 ? 8 : 7) else { continue }
            warn(
                "\(path).trusted[\(index)]", "\(path).trusted", path,
                message: "'\(network)' in '\(path).trusted' is wider than any private network: "
                    + "whoever is in it is believed about where requests come from",
                hint: "write the addresses that the front comes from")
        }
    }

    private func isFlag(_ path: String) -> Bool {
        if case .flag = configuration.origin(of: path) { true } else { false }
    }

    // MARK: The Hub

    /// Whether anything is served as JupyterHub.
    var hasPreset: Bool {
        configuration.routesAPI.preset == .jupyterhub
            || configuration.routes.contains { $0.preset == .jupyterhub }
    }

    /// Whether a route of this path is the Hub's own: all others are users' servers and services.
    private func isHub(_ path: String) -> Bool {
        let base = configuration.jupyterHub.baseURL.path.utf8
        let path = path.utf8
        return path.elementsEqual("/".utf8) || path.elementsEqual(base.dropLast())
            || path.starts(with: base) && path.dropFirst(base.count).elementsEqual("hub".utf8)
    }

    mutating func checkPresets() {
        let base = configuration.jupyterHub.baseURL
        for (index, route) in configuration.routes.enumerated()
        where configuration.preset(of: route) == .jupyterhub && !isHub(route.path) {
            let path = "routes[\(index)]"
            if route.preset != nil, let hint = misplacement(of: route.path) {
                error(
                    "\(path).preset", path,
                    message: "'\(path).preset' is for '\(route.path)', and JupyterHub's paths are "
                        + "'\(base)hub' and what is below '\(base)user' and '\(base)services'",
                    hint: hint)
                continue
            }
            guard route.identityHeaders.contains(where: { $0.value != nil }) else { continue }
            error(
                "\(path).identity.headers", path,
                message: "'\(path).identity.headers' would tell '\(route.path)' who is signed in: "
                    + "with the preset 'jupyterhub' that is users' code, which could pass it on",
                hint: "write them at the Hub's own route, or 'preset: none' here")
        }
        checkHubRoute()
    }

    /// What to do about a route that is neither the Hub's nor a server's nor a service's, so that the
    /// Hub's cookies do not pass there and its log out ends nothing; nil where it is one of these.
    private func misplacement(of path: String) -> String? {
        let base = configuration.jupyterHub.baseURL
        func isBelow(_ part: String) -> Bool {
            "\(path)/".utf8.starts(with: "\(base.path)\(part)/".utf8)
        }
        guard !isBelow("user"), !isBelow("services") else { return nil }
        guard !isBelow("hub") else { return "remove it: the route of '\(base)hub' covers this one" }
        let other = path.split(separator: "/")
            .prefix { !["hub", "user", "services"].contains($0) }
            .map { "\($0)/" }.joined()
        return "write 'jupyterhub: {base_url: /\(other)}', or 'preset: none'"
    }

    /// Where one route that is written has the preset, the Hub's must have it, also where the API
    /// adds that: it inherits from the route that covers it.
    private mutating func checkHubRoute() {
        let routes = configuration.routes
        let base = configuration.jupyterHub.baseURL
        let first = routes.firstIndex { $0.preset == .jupyterhub }
        // One that does not fit at all has been named.
        guard let first, isHub(routes[first].path) || misplacement(of: routes[first].path) == nil
        else { return }
        let own = routes.indices.filter { isHub(routes[$0].path) }
        guard !own.contains(where: { configuration.preset(of: routes[$0]) == .jupyterhub }) else {
            return
        }
        let hub = own.max { routes[$0].path.utf8.count < routes[$1].path.utf8.count }
        if configuration.hasRoutesAPI, hub == nil, configuration.routesAPI.preset == .jupyterhub {
            return
        }
        let path = hub.map { "routes[\($0)]" } ?? "jupyterhub.base_url"
        warn(
            path, "routes[\(first)].preset",
            message: "no route with 'preset: jupyterhub' covers '\(base)hub', which is the Hub's: "
                + "its cookies would not be pinned, and its log out would end nothing here",
            hint: hub == nil ? "write one, or 'jupyterhub: {base_url: …}'" : "add the preset here")
    }

    mutating func checkHub() {
        let hub = configuration.jupyterHub
        if hub != JupyterHubSettings(), wasWritten("jupyterhub"), !hasPreset,
            !configuration.hasRoutesAPI,
            !isForProxy
        {
            warn(
                "jupyterhub",
                message: "'jupyterhub' means nothing here: no route has 'preset: jupyterhub'",
                hint: "add it to the Hub's route")
        }
        guard let text = hub.apiURL else { return }
        let path = "jupyterhub.api_url"
        // A socket of this machine, in the form that targets of routes have.
        if let url = TargetURL(parsing: text), case .unix = url.place, url.query.isEmpty { return }
        do throws(BaseURL.ParseError) {
            let url = try BaseURL(parsing: text)
            if url.origin.scheme == .http, !url.origin.isLoopback {
                warn(
                    path,
                    message: "'\(path)' is not https: users' tokens cross the network in clear",
                    hint: "write 'https://…' unless the network is your own")
            }
        } catch {
            self.error(
                path, message: "'\(path)' is '\(text)': \(error.reason)",
                hint: "such as 'http://127.0.0.1:8081/hub/api'")
        }
    }
}
