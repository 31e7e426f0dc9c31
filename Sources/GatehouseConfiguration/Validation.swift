import GatehouseBase

/// The rules that span settings.
public struct Validation {
    let configuration: Configuration
    private var diagnostics: [Diagnostic] = []

    /// Everything that is wrong between the settings of `configuration`; `usedUpstreams` are names
    /// that routes use which are not in it, because they could not be read.
    public static func check(
        _ configuration: Configuration, usedUpstreams: Set<String> = []
    ) -> [Diagnostic] {
        var validation = Validation(configuration: configuration)
        validation.checkPublicURLs()
        validation.checkListeners()
        validation.checkRoutesAPI()
        validation.checkForwarding()
        validation.checkUpstreams(usedUpstreams)
        validation.checkLoops()
        validation.checkRoutes()
        validation.checkAccess()
        validation.checkPresets()
        validation.checkHub()
        validation.checkSlips()
        validation.checkProvider()
        validation.checkIdentity()
        validation.checkTimesAndSizes()
        return validation.diagnostics
    }

    private init(configuration: Configuration) { self.configuration = configuration }

    /// Whether people sign in; also where `oidc` is there but could not be read, so that one
    /// mistake does not make ten.
    var signsIn: Bool { configuration.oidc != nil || wasWritten("oidc") }

    func wasWritten(_ path: String) -> Bool { configuration.origins[path] != nil }

    /// Whether the text is one for `gatehouse proxy`, where flags give the listeners and the Hub
    /// gives the routes: it has neither.
    var isForProxy: Bool {
        !wasWritten("listeners") && !wasWritten("routes")
            && !configuration.hasRoutesAPI
    }

    /// A diagnostic about the first of `paths` that was written, in the text or as a flag.
    private mutating func say(
        _ severity: Diagnostic.Severity, _ paths: [String], _ message: String, _ hint: String?
    ) {
        var position: SourcePosition?
        var source: String?
        for path in paths where position == nil && source == nil {
            switch configuration.origin(of: path) {
            case .written(let place): position = place
            case .flag: source = configuration.origin(of: path).description
            case .builtIn, .environment: break
            }
        }
        diagnostics.append(
            Diagnostic(severity, at: position, source: source, message, hint: hint))
    }

    mutating func error(_ paths: String..., message: String, hint: String? = nil) {
        say(.error, paths, message, hint)
    }

    mutating func warn(_ paths: String..., message: String, hint: String? = nil) {
        say(.warning, paths, message, hint)
    }

    private mutating func note(_ paths: String..., message: String, hint: String? = nil) {
        say(.notice, paths, message, hint)
    }

    // MARK: Addresses

    private mutating func checkPublicURLs() {
        guard signsIn else { return }
        if configuration.publicURLs.isEmpty, !wasWritten("public_urls[0]") {
            error(
                "public_urls", "oidc",
                message: "'oidc' needs 'public_urls': browsers are sent back there",
                hint: "write 'public_urls: [https://hub.example.org]'")
        }
        for (index, url) in configuration.publicURLs.enumerated() {
            let path = "public_urls[\(index)]"
            if url.scheme == .http {
                error(
                    path, "public_urls",
                    message: "'\(url)' is not https: browsers keep no session cookie there",
                    hint: "write 'https://…'")
            }
            checkReach(url, at: path)
        }
    }

    /// What no rule and no route is about. Where there are none at all, that is said elsewhere.
    private mutating func checkReach(_ url: Origin, at path: String) {
        let rules = configuration.access
        if !rules.isEmpty, !rules.contains(where: { $0.host == nil || $0.host == url.host }) {
            warn(
                path, "public_urls",
                message: "no rule of 'access' is about '\(url)': nobody is let in",
                hint: "write '{host: \(url.host), path: /**, allow: signed_in}' there")
        }
        let routes = configuration.routes
        if !configuration.hasRoutesAPI, !routes.isEmpty,
            !routes.contains(where: { $0.host == nil || $0.host == url.host })
        {
            warn(
                path, "public_urls", message: "no route is for '\(url)': every path there is 404",
                hint: "write '{host: \(url.host), path: /, upstream: http://…}' in 'routes'")
        }
    }

    // MARK: Upstreams and routes

    private mutating func checkUpstreams(_ others: Set<String>) {
        let used = others.union(configuration.routes.map(\.upstream.name))
        for upstream in configuration.upstreams {
            let path = "upstreams.\(upstream.name)"
            if !used.contains(upstream.name) {
                warn(
                    path, message: "no route uses upstream '\(upstream.name)'",
                    hint: "write one, or remove it")
            }
            checkPair(upstream.tls, at: "\(path).tls")
            if upstream.url.scheme == .http, wasWritten("\(path).tls") {
                warn(
                    "\(path).tls",
                    message: "'\(path).tls' is not used: the URL is '\(upstream.url)'",
                    hint: "write 'https://…', or remove 'tls'")
            }
        }
    }

    private mutating func checkRoutes() {
        if isForProxy {
            note(
                "routes",
                message: "there are no 'listeners' and no 'routes': this is a file for "
                    + "'gatehouse proxy', where flags give the ones and JupyterHub the others",
                hint: "for 'gatehouse serve' write "
                    + "'routes: [{path: /, upstream: http://127.0.0.1:8081}]'")
        } else if configuration.routes.isEmpty, !configuration.hasRoutesAPI,
            !wasWritten("routes[0]")
        {
            warn(
                "routes", message: "there are no routes: every path is 404",
                hint: "write 'routes: [{path: /, upstream: http://127.0.0.1:8081}]'")
        }
        struct Place: Hashable { let host: String?, path: String }
        var seen: [Place: Int] = [:]
        for (index, route) in configuration.routes.enumerated() {
            let path = "routes[\(index)]"
            checkHost(route.host, at: "\(path).host")
            let place = Place(host: route.host, path: route.path)
            if let other = seen[place] {
                let line = configuration.origins["routes[\(other)]"]?.position?.line
                error(
                    "\(path).path", path,
                    message: "'\(route.host ?? "")\(route.path)' is the prefix of two routes",
                    hint: line.map { "the first is in line \($0)" })
            } else {
                seen[place] = index
            }
        }
    }

    /// A host that browsers cannot come to is a slip.
    private mutating func checkHost(_ host: String?, at path: String) {
        let hosts = configuration.publicURLs.map(\.host)
        guard let host, !hosts.isEmpty, !hosts.contains(host) else { return }
        error(
            path, message: "'\(path)' is '\(host)', which is not in 'public_urls'",
            hint: Suggestion.hint(for: host, among: hosts) ?? "add 'https://\(host)' there")
    }

    // MARK: Who gets in

    private mutating func checkAccess() {
        if configuration.access.isEmpty, !wasWritten("access[0]") {
            let hint = signsIn ? "signed_in" : "public"
            let message = "there are no 'access' rules, and without a rule nobody is let in"
            if signsIn {
                warn(
                    "access", "oidc", message: message,
                    hint: "write 'access: [{path: /**, allow: \(hint)}]'")
            } else {
                error(
                    "access", message: message,
                    hint: "write 'access: [{path: /**, allow: \(hint)}]'")
            }
        }
        for (index, rule) in configuration.access.enumerated() {
            let path = "access[\(index)]"
            checkHost(rule.host, at: "\(path).host")
            if !signsIn, rule.allow.needsSession {
                error(
                    "\(path).allow", path,
                    message:
                        "'\(path).allow' needs somebody to be signed in, and there is no 'oidc'",
                    hint: "write 'oidc: {issuer: …}', or 'allow: public'")
            }
            let earlier = configuration.access[..<index].firstIndex { $0.covers(rule) }
            guard let earlier else { continue }
            let line = configuration.origins["access[\(earlier)]"]?.position?.line
            let which = line.map { "the rule in line \($0)" } ?? "rule \(earlier + 1)"
            if hasPreset, signsIn, configuration.access[earlier].allow == .anyone,
                rule.allow != .anyone
            {
                error(
                    "\(path).path", path,
                    message: "'\(path)' never decides: \(which) lets everybody in before it, and "
                        + "the Hub and its servers are open", hint: "put the narrower rule first")
                continue
            }
            warn(
                "\(path).path", path,
                message: "'\(path)' never decides: \(which) covers '\(rule.path)' before it",
                hint: "put the narrower rule first")
        }
    }

    private mutating func checkProvider() {
        guard let oidc = configuration.oidc else { return }
        do throws(BaseURL.ParseError) {
            let issuer = try BaseURL(parsing: oidc.issuer)
            if issuer.origin.scheme == .http, !issuer.origin.isLoopback {
                error(
                    "oidc.issuer", message: "'oidc.issuer' is '\(oidc.issuer)', which is not https",
                    hint: "only a provider on this machine may do without")
            }
        } catch {
            self.error(
                "oidc.issuer", message: "'oidc.issuer' is '\(oidc.issuer)': \(error.reason)",
                hint: "such as 'https://sso.example.org/realms/staff'")
        }
        guard let backchannel = oidc.backchannelBaseURL else { return }
        do throws(BaseURL.ParseError) {
            let base = try BaseURL(parsing: backchannel)
            if base.origin.scheme == .http, !base.origin.isLoopback {
                warn(
                    "oidc.backchannel_base_url",
                    message: "'oidc.backchannel_base_url' is not https: the client secret and "
                        + "tokens cross the network in clear",
                    hint: "write 'https://…' unless the network is your own")
            }
        } catch {
            self.error(
                "oidc.backchannel_base_url",
                message: "'oidc.backchannel_base_url' is '\(backchannel)': \(error.reason)",
                hint: "such as 'http://keycloak:8080/realms/staff'")
        }
    }

    private mutating func checkIdentity() {
        guard !signsIn else { return }
        if !configuration.identityHeaders.isEmpty {
            warn(
                "identity.headers", message: "'identity.headers' is never set: there is no 'oidc'",
                hint: "write 'oidc: {issuer: …}', or remove it")
        }
        for (index, route) in configuration.routes.enumerated()
        where route.identityHeaders.contains(where: { $0.value != nil }) {
            warn(
                "routes[\(index)].identity.headers", "routes[\(index)]",
                message: "'routes[\(index)].identity.headers' is never set: there is no 'oidc'",
                hint: "write 'oidc: {issuer: …}', or remove it")
        }
    }

    // MARK: Times and sizes

    private mutating func checkTimesAndSizes() {
        let session = configuration.session
        if session.idle > session.absolute {
            warn(
                "session.idle", "session.absolute",
                message: "'session.idle' is longer than 'session.absolute', which ends a session "
                    + "before it", hint: "write at most '\(Units.text(session.absolute))'")
        }
        let limits = configuration.limits
        if limits.requestLine > limits.requestHead {
            error(
                "limits.request_line", "limits.request_head",
                message: "'limits.request_line' is above 'limits.request_head', which it is a part "
                    + "of", hint: "write at most '\(Units.text(limits.requestHead))'")
        }
        if limits.keySetRefetch > limits.keySetLifetime {
            error(
                "limits.key_set_refetch", "limits.key_set_lifetime",
                message: "'limits.key_set_refetch' is longer than 'limits.key_set_lifetime'",
                hint: "write at most '\(Units.text(limits.keySetLifetime))'")
        }
    }
}
