import GatehouseBase

/// Sign-in and fronts, and what changes with them: settings one by one, so that nothing else asks
/// which command runs.
extension CHPCommandLine {
    /// What the contract would leave open, before any flag is looked at.
    mutating func applySignIn() {
        guard configuration.oidc != nil else { return }
        if !wasWritten("access") { configuration.access = [] }
        configuration.readingsMustAgree = true
        configuration.requiresState = true
        if !wasWritten("forwarding.forwarded_fields") {
            configuration.forwarding.forwardedFields = .replace
        }
        applyPreset()
    }

    /// What covers everything is the Hub's, unless the text says otherwise.
    private mutating func applyPreset() {
        let root = configuration.routes.firstIndex { $0.path == "/" && $0.host == nil }
        guard let root else {
            configuration.routesAPI.preset = .jupyterhub
            return
        }
        let preset = configuration.routes[root].preset ?? .jupyterhub
        configuration.routes[root].preset = preset
        configuration.routesAPI.preset = preset
    }

    /// `--front` and `--trusted`, of the first public listener.
    mutating func applyFront() throws(Refusal) {
        guard let index = index(of: .public) else { return }
        var front = configuration.listeners[index].front
        let path = "listeners[\(index)].front"
        if let text = words.text("--front") {
            guard let profile = FrontSettings.Profile(rawValue: text) else {
                throw .text("option '--front' is '\(text)': \(profileHint(text))")
            }
            front.profile = profile
            configuration.origins["\(path).profile"] = .flag("--front")
        }
        if words.has("--trusted") {
            front.trusted = []
            front.trustsUnixSocket = false
            for text in words.trusted {
                do throws(FrontSettings.TrustError) {
                    try front.trust(text)
                } catch {
                    throw .text(
                        "option '--trusted' is '\(text)': \(error.message); \(error.hint)")
                }
            }
            let old = configuration.origins.keys.filter { $0.hasPrefix("\(path).trusted[") }
            for place in old { configuration.origins[place] = nil }
            configuration.origins["\(path).trusted"] = .flag("--trusted")
        }
        configuration.listeners[index].front = front
        guard configuration.listeners.contains(where: { $0.front.isTrusted }) else { return }
        guard !words.has("--no-x-forward") else {
            throw .text(
                "option '--no-x-forward' cannot be used where a front is trusted, whose fields are "
                    + "replaced by ours")
        }
        if !wasWritten("forwarding.forwarded_fields") {
            configuration.forwarding.forwardedFields = .replace
        }
    }

    private func profileHint(_ text: String) -> String {
        if Schema.waitingProfiles.contains(text) { return "that is not built yet" }
        let known = FrontSettings.Profile.allCases.map(\.rawValue)
        return "it is \(known.dropLast().joined(separator: ", ")) or \(known.last ?? "")"
    }

    /// What looks wrong only beside the addresses that the command line tells.
    mutating func diagnoseSignIn() {
        guard configuration.oidc != nil else { return }
        if case .none = configuration.stateDirectory, configuration.keys == nil,
            configuration.keysFile == nil
        {
            say(
                .warning,
                "'state_dir' is 'none' and there are no GATEHOUSE_KEYS: the keys end with this "
                    + "process, and with them every login in progress")
        }
        guard let listener = publicListener, listener.tls != nil, !listener.front.isTrusted,
            case .tcp(_, let port) = listener.address, port != 0,
            let url = configuration.publicURLs.first,
            !configuration.publicURLs.contains(where: { $0.port == port })
        else { return }
        say(
            .notice,
            "browsers come to '\(url)', on port \(url.port), and the public port is \(port): "
                + "something before it must lead the one to the other")
    }

    func wasWritten(_ path: String) -> Bool { configuration.origins[path] != nil }
}
