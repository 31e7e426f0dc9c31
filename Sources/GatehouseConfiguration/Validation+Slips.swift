import GatehouseBase

/// What passes for good and is not what was meant.
extension Validation {
    mutating func checkSlips() {
        checkOwners()
        checkHubAPI()
        checkDiscovery()
    }

    // MARK: Users' servers

    /// Where the Hub is: as it is written, else as the addresses of its own parts tell. Decoded.
    private var hubBase: String {
        let written = configuration.jupyterHub.baseURL
        guard written == .root, !wasWritten("jupyterhub.base_url") else { return written.path }
        let parts = [
            (configuration.jupyterHub.apiURL, "hub/api"),
            (configuration.forwarding.errorPages.target, "hub/error"),
        ]
        for (text, end) in parts {
            guard let text, let url = try? BaseURL(parsing: text) else { continue }
            let path = url.path.hasSuffix("/") ? String(url.path.dropLast()) : url.path
            guard path.hasSuffix("/" + end),
                let base = try? HubBaseURL(parsing: String(path.dropLast(end.count)))
            else { continue }
            return base.path
        }
        return written.path
    }

    /// A rule that gives each user's server to that user must be about the place where servers are:
    /// where it is not, no rule protects them from one another.
    private mutating func checkOwners() {
        guard hasPreset, signsIn else { return }
        let base = hubBase.split(separator: "/").map(String.init)
        for (index, rule) in configuration.access.enumerated() {
            guard let segment = rule.allow.ownerSegment, !isAboutOthers(rule) else { continue }
            let path = "access[\(index)]"
            let allow = "{path_user: \(base.count + 2)}"
            let remedy = "write '{path: \(hubBase)user/*/**, allow: \(allow)}'"
            guard rule.path.mayCover(below: base) else {
                error(
                    "\(path).path", path,
                    message: "'\(rule.path)' protects nobody's server: JupyterHub's are below "
                        + "'\(hubBase)user/'", hint: remedy)
                continue
            }
            guard segment <= base.count + 1 else { continue }
            warn(
                "\(path).allow", path,
                message: "segment \(segment) of JupyterHub's paths is no user's name: its servers "
                    + "are below '\(hubBase)user/'", hint: remedy)
        }
    }

    /// Whether a rule is about a route that is not the Hub's.
    private func isAboutOthers(_ rule: AccessRuleSettings) -> Bool {
        configuration.routes.contains { route in
            route.preset != .jupyterhub && route.path != "/"
                && (route.host == nil || rule.host == nil || route.host == rule.host)
                && rule.path.mayCover(below: route.path.split(separator: "/").map(String.init))
        }
    }

    // MARK: Addresses

    private mutating func checkHubAPI() {
        guard let text = configuration.jupyterHub.apiURL, let url = try? BaseURL(parsing: text)
        else { return }
        let path = url.path.hasSuffix("/") ? String(url.path.dropLast()) : url.path
        let base = configuration.jupyterHub.baseURL
        let end = "/hub/api"
        guard path.hasSuffix(end) else {
            warn(
                "jupyterhub.api_url",
                message: "'jupyterhub.api_url' is '\(text)', which does not end with '/hub/api': "
                    + "nobody would answer there whose a token is",
                hint: "write '\(url.origin)\(base)hub/api'")
            return
        }
        // On the command line of `proxy` the Hub tells its base URL.
        guard !isForProxy, let other = try? HubBaseURL(parsing: String(path.dropLast(end.count))),
            other.path != base.path
        else { return }
        let isWritten = wasWritten("jupyterhub.base_url")
        warn(
            "jupyterhub.api_url",
            message: "'jupyterhub.api_url' is of a Hub below '\(other)', and "
                + (isWritten
                    ? "'jupyterhub.base_url' is '\(base)'" : "without 'base_url' it is '/'")
                + ": no token would be confirmed, or no cookie pinned",
            hint: isWritten
                ? "write '\(url.origin)\(base)hub/api'" : "write 'base_url: \(other)' beside it")
    }

    private mutating func checkDiscovery() {
        let end = "/.well-known/openid-configuration"
        guard let issuer = configuration.oidc?.issuer, issuer.hasSuffix(end) else { return }
        warn(
            "oidc.issuer",
            message: "'oidc.issuer' is the address of the provider's discovery, not its issuer: "
                + "nobody could sign in", hint: "write '\(issuer.dropLast(end.count))'")
    }
}

extension AllowExpression {
    /// The segment that names the user, where it lets one in for that; the first of several.
    fileprivate var ownerSegment: Int? {
        switch self {
        case .pathUser(let segment): segment
        case .any(let parts), .all(let parts): parts.lazy.compactMap(\.ownerSegment).first
        default: nil
        }
    }
}

extension RulePath {
    /// Whether it covers a path that is `folder` or below it.
    fileprivate func mayCover(below folder: [String]) -> Bool {
        guard coversRest || segments.count >= folder.count else { return false }
        return zip(segments, folder).allSatisfy { mine, theirs in
            mine == .any || mine == .literal(theirs)
        }
    }
}
