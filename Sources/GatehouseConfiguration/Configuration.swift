public import GatehouseBase

/// All settings, whoever wrote them: defaults, then the configuration text, then the environment,
/// then flags.
///
/// The doc comments here and on the types below are the manual; `config/gatehouse.yaml` is the
/// same in the form that is written.
public struct Configuration: Sendable {
    /// Where state is kept.
    public enum StateDirectory: Sendable, Hashable {
        /// Nowhere: what is in memory ends with the process.
        case none
        /// In this directory.
        case path(String)
    }

    /// How many event loops there are.
    public enum Loops: Sendable, Hashable {
        /// As many as cores, at most 8.
        case auto
        /// This many, from 1 to 64.
        case count(Int)
    }

    /// `public_urls`: the origins that browsers use; the first is the default. Required with
    /// ``oidc``.
    public var publicURLs: [Origin] = []
    /// `state_dir`; default `$STATE_DIRECTORY`, else `$XDG_STATE_HOME/gatehouse`, else
    /// `~/.local/state/gatehouse`.
    public var stateDirectory = StateDirectory.none
    /// `keys_file`; nil for `keys` in the state directory.
    public var keysFile: String?
    /// The text of the keys file itself, from `GATEHOUSE_KEYS`; comes before ``keysFile``.
    public var keys: Secret?
    /// `loops`, or `GATEHOUSE_LOOPS`.
    public var loops = Loops.auto
    /// `listeners`; default `127.0.0.1:8080` in clear.
    public var listeners = [ListenerSettings(address: .tcp(host: "127.0.0.1", port: 8080))]
    /// `upstreams` in the order of the text; those of bare URLs stand in their routes only.
    public var upstreams: [UpstreamSettings] = []
    /// `routes` in the order of the text.
    public var routes: [RouteSettings] = []
    /// `access` in the order of the text, which decides.
    public var access: [AccessRuleSettings] = []
    /// `oidc`; nil where nobody signs in.
    public var oidc: ProviderSettings?
    /// `pid_file`.
    public var pidFile: String?
    /// `routes_api`.
    public var routesAPI = RoutesAPISettings()
    /// `jupyterhub`.
    public var jupyterHub = JupyterHubSettings()
    /// `forwarding`.
    public var forwarding = ForwardingSettings()
    /// What SIGTERM does; the command decides.
    public var stop = StopSettings()
    /// Whether there is no start without a usable state directory; the command decides.
    public var requiresState = true
    /// Whether a listener for the routes API that others than this machine reach must have a token;
    /// the command decides.
    public var requiresToken = true
    /// Whether SIGHUP reads the configuration again, not only certificates; the command decides.
    public var reloads = true
    /// Whether all readings of a path must lead to the same route, which they must where access
    /// rules were written.
    public var readingsMustAgree = true
    /// `session`.
    public var session = SessionSettings()
    /// `identity.headers`: field name to claim.
    public var identityHeaders: [String: String] = [:]
    /// `limits`.
    public var limits = Limits()
    /// `log`.
    public var log = LogSettings()
    /// Where the settings have their values from, by path: `listeners[0].tls.minimum`. What is
    /// missing here is a default.
    public var origins: [String: SettingOrigin] = [:]

    /// The defaults, with nothing to serve.
    public init() {}

    /// Where the setting with this path has its value from.
    public func origin(of path: String) -> SettingOrigin { origins[path] ?? .builtIn }

    /// Every file that the settings name and that is still to be read, with the path of its
    /// setting, or its flag.
    public var namedFiles: [(path: String, file: String)] {
        var files: [(path: String, file: String)] = []
        for (index, listener) in listeners.enumerated() {
            for (place, pair) in (listener.tls?.certificates ?? []).enumerated() {
                let path = "listeners[\(index)].tls.certificates[\(place)]"
                files.append(("\(path).certificate", pair.certificate))
                files.append(("\(path).key", pair.key))
            }
            if let file = listener.tls?.dhparamFile {
                files.append(("listeners[\(index)].tls.dhparam_file", file))
            }
            if let file = listener.tls?.clientCA {
                files.append(("listeners[\(index)].tls.client_ca", file))
            }
        }
        var named: [(String, String?)] = upstreams.flatMap { upstream in
            let (path, tls) = ("upstreams.\(upstream.name).tls", upstream.tls)
            return [
                ("\(path).ca_file", tls.caFile), ("\(path).certificate", tls.certificate),
                ("\(path).key", tls.key),
            ]
        }
        if let tls = routesAPI.upstream?.tls {
            named += [
                ("--client-ssl-ca", tls.caFile), ("--client-ssl-cert", tls.certificate),
                ("--client-ssl-key", tls.key),
            ]
        }
        for case (let path, let file?) in named { files.append((path, file)) }
        if let file = oidc?.caFile { files.append(("oidc.ca_file", file)) }
        return files
    }

    /// The settings, by path, in which this differs from a `running` configuration and which only
    /// a restart can change; everything else a reload takes up.
    public func settingsThatNeedRestart(from running: Configuration) -> [String] {
        var paths: [String] = []
        if stateDirectory != running.stateDirectory { paths.append("state_dir") }
        if loops != running.loops { paths.append("loops") }
        if pidFile != running.pidFile { paths.append("pid_file") }
        if routesAPI.hostRouting != running.routesAPI.hostRouting {
            paths.append("routes_api.host_routing")
        }
        // The routes are kept, and waited for, from the start on.
        if hasRoutesAPI != running.hasRoutesAPI { paths.append("listeners") }
        // Another loop would have to take over the sockets.
        for (index, listener) in listeners.enumerated() {
            let there = running.listeners.filter { $0.address == listener.address }
            let isOther = there.allSatisfy { $0.role.isControl != listener.role.isControl }
            if !there.isEmpty, isOther { paths.append("listeners[\(index)].role") }
        }
        return paths
    }

    /// Whether JupyterHub tells the routes.
    public var hasRoutesAPI: Bool { listeners.contains { $0.role == .api } }

    /// What a route knows of its application; nil for one that JupyterHub tells.
    public func preset(of route: RouteSettings?) -> RoutePreset {
        route?.preset ?? (hasRoutesAPI ? routesAPI.preset : .none)
    }
}
