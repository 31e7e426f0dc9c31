import GatehouseBase

/// What is done to requests and answers, and where they go.
extension CHPCommandLine {
    mutating func applyForwarding() throws(Refusal) {
        try applyErrorPages()
        if words.has("--no-x-forward") { set(\.forwardedFields, .pass, "--no-x-forward") }
        if words.has("--no-prepend-path") { set(\.prependPath, false, "--no-prepend-path") }
        if words.has("--no-include-prefix") { set(\.includePrefix, false, "--no-include-prefix") }
        if words.has("--auto-rewrite") {
            set(\.autoRewrite, true, "--auto-rewrite")
            say(.info, "AutoRewrite of Location headers enabled.")
        }
        if words.has("--change-origin") {
            set(\.changeOrigin, true, "--change-origin")
            say(.info, "Change Origin of host headers enabled.")
        }
        if let scheme = words.text("--protocol-rewrite") {
            let name = scheme.lowercased().split(separator: ":").first.map(String.init) ?? ""
            guard ["http", "https"].contains(name) else {
                throw .text("option '--protocol-rewrite' is '\(scheme)': it is http or https")
            }
            set(\.protocolRewrite, name, "--protocol-rewrite")
            say(.info, "ProtocolRewrite enabled. Rewriting to \(scheme)")
        }
        for header in words.customHeaders { try addField(header) }
        if let time = milliseconds("--timeout") { configuration.forwarding.exchangeIdle = time }
    }

    private mutating func set<Value>(
        _ key: WritableKeyPath<ForwardingSettings, Value>, _ value: Value, _ flag: String
    ) {
        configuration.forwarding[keyPath: key] = value
        let names: [PartialKeyPath<ForwardingSettings>: String] = [
            \.forwardedFields: "forwarded_fields", \.prependPath: "prepend_path",
            \.includePrefix: "include_prefix", \.autoRewrite: "auto_rewrite",
            \.changeOrigin: "change_origin", \.protocolRewrite: "protocol_rewrite",
        ]
        if let name = names[key] { configuration.origins["forwarding.\(name)"] = .flag(flag) }
    }

    private mutating func applyErrorPages() throws(Refusal) {
        let target = words.text("--error-target")
        let directory = words.text("--error-path")
        guard target == nil || directory == nil else {
            throw .line("Cannot specify both error-target and error-path. Pick one.")
        }
        guard target != nil || directory != nil else { return }
        var pages = ForwardingSettings.ErrorPages()
        pages.target = target
        pages.directory = directory
        configuration.forwarding.errorPages = pages
        let name = target == nil ? "directory" : "target"
        let flag = target == nil ? "--error-path" : "--error-target"
        configuration.origins["forwarding.error_pages.\(name)"] = .flag(flag)
        guard let target, let base = try baseURL(of: target) else { return }
        let written = configuration.jupyterHub.baseURL
        if wasWritten("jupyterhub.base_url"), !sameBytes(written.path, base.path) {
            say(
                .warning,
                "'jupyterhub.base_url' is '\(written)', and the Hub says '\(base)' with "
                    + "--error-target, which is taken")
        }
        configuration.jupyterHub.baseURL = base
        configuration.origins["jupyterhub.base_url"] = .flag("--error-target")
    }

    /// The Hub's base URL: `/base/` of `http://hub:8081/base/hub/error`, which is how JupyterHub
    /// writes its error target. Nil where the target is another's.
    private mutating func baseURL(of errorTarget: String) throws(Refusal) -> HubBaseURL? {
        let parts = errorTarget.utf8.split(
            separator: 0x2F, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let path = Array(parts[3].prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") })
        let end = Array("/hub/error".utf8)
        let whole = [0x2F] + (path.last == 0x2F ? path.dropLast() : path[...])
        guard whole.suffix(end.count) == end[...] else { return nil }
        let text = String(decoding: whole.dropLast(end.count), as: UTF8.self) + "/"
        do throws(HubBaseURL.ParseError) {
            return try HubBaseURL(parsing: text)
        } catch {
            let message =
                "option '--error-target' has the Hub's base URL '\(text)': \(error.message)"
            // Which cookies and addresses are the Hub's would not be known.
            guard configuration.oidc == nil else { throw .text("\(message); \(error.hint)") }
            say(.warning, "\(message); \(error.hint)")
            return nil
        }
    }

    /// A later field of the same name takes the place of an earlier one.
    private mutating func addField(_ header: String) throws(Refusal) {
        let halves = header.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = CHPWords.trimmed(halves[0])
        let value = CHPWords.trimmed(halves[1])
        if let reason = FieldNames.refusal(ofRequestField: name, value) {
            throw .text("option '--custom-header' is '\(name): …': \(reason)")
        }
        let folded = name.lowercased()
        configuration.forwarding.requestFields.removeAll { $0.name.lowercased() == folded }
        configuration.forwarding.requestFields.append(
            ForwardingSettings.Field(name: name, value: value))
        configuration.origins["forwarding.request_fields"] = .flag("--custom-header")
    }

    /// A number of milliseconds; nil where it is no number or none.
    func milliseconds(_ flag: String) -> Duration? {
        guard let number = words.text(flag).flatMap(CHPWords.integer), number > 0 else {
            return nil
        }
        // The longest that a timer of node takes, 25 days.
        return .milliseconds(min(number, 0x7FFF_FFFF))
    }

    /// Routes that are not in the configuration text.
    mutating func applyRoutes() throws(Refusal) {
        if let target = words.text("--default-target") {
            configuration.routesAPI.defaultTarget = target
        }
        if words.has("--host-routing") {
            configuration.routesAPI.hostRouting = true
            configuration.origins["routes_api.host_routing"] = .flag("--host-routing")
        }
        guard words.has("--activity") else { return }
        let text = words.text("--activity") ?? ""
        guard let activity = RoutesAPISettings.Activity(rawValue: text) else {
            throw .text("option '--activity' is '\(text)': it is contract or traffic")
        }
        configuration.routesAPI.activity = activity
        configuration.origins["routes_api.activity"] = .flag("--activity")
    }

    /// How targets are reached. Without a flag of client TLS, protocol and ciphers are ours, as
    /// they are node's with configurable-http-proxy.
    mutating func applyUpstream() throws(Refusal) {
        var upstream = UpstreamSettings(
            name: "routes_api", url: Origin(scheme: .http, host: "localhost", port: 80),
            connectTimeout: configuration.limits.connectTime)
        if let time = milliseconds("--proxy-timeout") {
            upstream.firstByteTimeout = time
            upstream.responseIdle = time
        }
        upstream.tls.insecureSkipVerify = words.has("--insecure")
        let key = words.text("--client-ssl-key")
        let certificate = words.text("--client-ssl-cert")
        let authorities = words.text("--client-ssl-ca")
        try checkPair(key, certificate, "--client-ssl")
        upstream.tls.key = key
        upstream.tls.certificate = certificate
        upstream.tls.caFile = authorities
        upstream.tls.trustsSystem = authorities == nil
        if key != nil || authorities != nil {
            let versions = try versions()
            upstream.tls.minimum = versions?.lowerBound
            upstream.tls.maximum = versions?.upperBound
            upstream.tls.ciphers = words.text("--ssl-ciphers")
        }
        configuration.routesAPI.upstream = upstream
    }
}
