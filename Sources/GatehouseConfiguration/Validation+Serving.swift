import GatehouseBase

/// Listeners, what they are for, and what happens to requests on their way.
extension Validation {
    mutating func checkListeners() {
        var seen: Set<ListenerAddress> = []
        for (index, listener) in configuration.listeners.enumerated() {
            let path = "listeners[\(index)]"
            if case .tcp(_, port: 0) = listener.address {
                // Each gets a port of its own.
            } else if !seen.insert(listener.address).inserted {
                error(
                    "\(path).address", path,
                    message: "'\(listener.address)' is the address of two listeners",
                    hint: "keep one of them")
            }
            if let tls = listener.tls { checkTLS(tls, at: "\(path).tls") }
            checkRole(listener, at: path)
            if listener.role == .public, listener.redirect != nil {
                checkRedirect(listener, at: path)
            }
            checkFront(listener, at: path)
            let isPlain = listener.tls == nil && !wasWritten("\(path).tls")
            if signsIn, !isForProxy, listener.role == .public, listener.redirect == nil, isPlain,
                listener.front.profile == .none, !wasWritten("\(path).front.trusted[0]")
            {
                let isText = configuration.origin(of: "\(path).address").position != nil
                warn(
                    "\(path).address", "oidc",
                    message: "'\(listener.address)' has no TLS, and nobody can sign in there: "
                        + "navigations are sent to the public URL with 307, the rest gets 421",
                    hint: isText
                        ? "write 'tls: {certificates: […]}', or 'front: {profile: …, trusted: […]}' "
                            + "for the proxy that has it"
                        : "give it '--ssl-key' and '--ssl-cert', or '--front' and '--trusted' for "
                            + "the proxy that has it")
            }
        }
        let serves = configuration.listeners.contains { $0.role == .public && $0.redirect == nil }
        // Where one could not be read, that has been said.
        if !configuration.listeners.isEmpty, !serves {
            error(
                "listeners", message: "no listener serves the routes",
                hint: "write one with 'role: public'")
        }
    }

    private mutating func checkTLS(_ tls: ListenerTLSSettings, at path: String) {
        if tls.minimum > tls.maximum {
            error(
                "\(path).minimum", "\(path).maximum",
                message: "'\(path).minimum' is above the maximum",
                hint: "1.3 is the newest there is")
        }
        if tls.clientCertificate != .none, tls.clientCA == nil, !wasWritten("\(path).client_ca") {
            error(
                "\(path).client_certificate", path,
                message: "'\(path).client_certificate' needs 'client_ca': otherwise nobody vouches "
                    + "for the certificates", hint: "write 'client_ca: FILE'")
        }
        if tls.clientCertificate == .none, wasWritten("\(path).client_ca"), tls.clientCA != nil,
            !wasWritten("\(path).client_certificate")
        {
            warn(
                "\(path).client_ca",
                message: "'\(path).client_ca' lets nobody in or out: no certificate is asked for",
                hint: "write 'client_certificate: require'")
        }
        if tls.ciphers != nil, tls.minimum == .tls13 {
            warn(
                "\(path).ciphers", path,
                message: "'\(path).ciphers' is about TLS 1.2, which is not spoken there",
                hint: "remove it")
        }
    }

    /// Settings that belong to another role.
    private mutating func checkRole(_ listener: ListenerSettings, at path: String) {
        if listener.role != .public, listener.redirect != nil {
            error(
                "\(path).redirect_to_https", path,
                message: "'\(path).redirect_to_https' belongs to 'role: public'", hint: "remove it")
        }
        if listener.role != .api, listener.tokenFile != nil || wasWritten("\(path).token_file") {
            error(
                "\(path).token_file", path,
                message: "'\(path).token_file' belongs to 'role: api': nothing would ask for it",
                hint: "remove it")
        }
    }

    private mutating func checkRedirect(_ listener: ListenerSettings, at path: String) {
        if listener.tls != nil {
            error(
                "\(path).redirect_to_https", path,
                message: "'\(listener.address)' redirects to https and is https",
                hint: "remove one of them")
        }
        let hasTLS = configuration.listeners.contains { $0.role == .public && $0.tls != nil }
        let hasURL = configuration.publicURLs.contains { $0.scheme == .https }
        guard !hasTLS, !hasURL else { return }
        error(
            "\(path).redirect_to_https", path,
            message: "'\(path).redirect_to_https' has nowhere to send people: no public listener "
                + "has TLS and no public URL is https", hint: "write 'public_urls: [https://…]'")
    }

    mutating func checkRoutesAPI() {
        if signsIn, configuration.routesAPI.hostRouting {
            let isFlag = configuration.origin(of: "routes_api.host_routing").position == nil
            error(
                "routes_api.host_routing", "oidc",
                message: "people cannot sign in where every user has a host of their own: 'oidc' "
                    + "and host routing exclude each other",
                hint: isFlag
                    ? "leave out '--host-routing' (JupyterHub: 'c.JupyterHub.subdomain_host')"
                    : "write 'host_routing: false'")
        }
        for (index, listener) in configuration.listeners.enumerated() where listener.role == .api {
            let path = "listeners[\(index)]"
            let isGuarded = listener.token != nil || listener.tls?.clientCertificate == .require
            guard configuration.requiresToken, !isGuarded, !wasWritten("\(path).token_file"),
                !isPrivate(listener.address)
            else { continue }
            error(
                "\(path).address", path,
                message: "'\(listener.address)' lets whoever reaches it change routes",
                hint: "write 'token_file: FILE', or listen on 127.0.0.1")
        }
    }

    /// Whether only this machine reaches the address.
    private func isPrivate(_ address: ListenerAddress) -> Bool {
        guard case .tcp(let host, _) = address else { return true }
        return Origin(scheme: .http, host: host, port: 80).isLoopback
    }

    /// A certificate without its key is none.
    mutating func checkPair(_ tls: UpstreamSettings.TLS, at path: String) {
        let isWhole =
            (tls.certificate ?? tls.key) == nil || (tls.certificate != nil && tls.key != nil)
        guard !isWhole else { return }
        let missing = tls.key == nil ? "key" : "certificate"
        guard !wasWritten("\(path).\(missing)") else { return }
        error(
            "\(path).certificate", "\(path).key", path, message: "'\(path).\(missing)' is missing",
            hint: "a certificate and a key belong together")
    }

    mutating func checkForwarding() {
        checkForwardedFields()
        let path = "forwarding.error_pages"
        let pages = configuration.forwarding.errorPages
        if pages.directory != nil, pages.target != nil {
            error(
                "\(path).target", path,
                message: "'\(path)' has both a directory and a target", hint: "keep one of them")
        }
        let schemes = ["http://", "https://", "http+unix://", "unix+http://"]
        guard let target = pages.target,
            !schemes.contains(where: { target.lowercased().hasPrefix($0) })
        else { return }
        error(
            "\(path).target", path, message: "'\(target)' cannot be asked for error pages",
            hint: "such as 'http://hub:8081/hub/error'")
    }

    /// What upstreams are told of where a request comes from must be ours where people sign in.
    private mutating func checkForwardedFields() {
        let fields = configuration.forwarding.forwardedFields
        guard fields != .replace, signsIn else { return }
        let path = "forwarding.forwarded_fields"
        let flag = configuration.origin(of: path).position == nil
        error(
            path, "oidc",
            message: "'\(path)' is '\(fields.rawValue)': upstreams would believe what any client "
                + "writes there, which they must not beside 'oidc'",
            hint: flag ? "leave out '--no-x-forward'" : "write 'forwarded_fields: replace'")
    }
}
