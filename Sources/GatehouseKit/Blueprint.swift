import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseNet
import GatehouseOIDC
import GatehouseProxy

/// What a configuration comes to at run time: immutable, made whole at start and on reload. An
/// object, because every request holds it.
final class Blueprint: Sendable {
    let configuration: Configuration
    /// The configured routes; those of the API are each loop's own.
    let table: RouteTable<Route>
    let routes: [Route]
    /// What the gate knows of JupyterHub; of no use where nobody signs in.
    let hub: HubPreset
    /// Of the routes of the API: see ``apiRules(_:)``.
    let apiRules: APIRules
    /// Where a path must not fall through to a shorter route before the API's are complete.
    let userPrefixes: RouteTable<Int>
    /// How `https` targets of the API's routes are reached.
    let apiTLS: ClientTLS
    let connectionSettings: [ConnectionSettings]
    /// nil: ours.
    let errorPages: ErrorPages?
    /// By listener; nil where it serves.
    let redirects: [RedirectResponder.Settings?]
    /// By listener; nil in clear.
    let tls: [ServerTLS?]
    let gateOptions: Gate.Options
    let providerOptions: ProviderClient.Options?
    let providerTLS: ClientTLS?

    /// - Parameter previous: its targets go on being used where nothing has changed, and with them
    ///   the idle connections.
    init(
        _ configuration: Configuration, previous: Blueprint? = nil
    ) throws(TLSConfigurationError) {
        self.configuration = configuration
        let hub = HubPreset(baseURL: configuration.jupyterHub.baseURL.path)
        self.hub = hub
        apiRules = APIRules(configuration, hub)
        let readings: RoutingReadings = configuration.readingsMustAgree ? .mustAgree : .first
        var table = RouteTable<Route>(readings: readings)
        var routes: [Route] = []
        var targets: [UpstreamSettings: UpstreamTarget] = [:]
        if let previous {
            for (settings, route) in zip(previous.configuration.routes, previous.routes)
            where settings.upstream.tls.namesNoFile {
                targets[settings.upstream] = route.target
            }
        }
        for settings in configuration.routes {
            let target: UpstreamTarget
            if let known = targets[settings.upstream] {
                target = known
            } else {
                target = try Blueprint.target(settings.upstream, configuration)
            }
            targets[settings.upstream] = target
            let route = Route(
                name: (settings.host ?? "") + settings.path, target: target,
                rules: Blueprint.rules(settings, configuration, hub).rewriting(
                    Blueprint.rewriting(nil, settings.path, configuration.forwarding)),
                host: settings.host, prefix: settings.path)
            table.set(route, host: settings.host, prefix: settings.path)
            routes.append(route)
        }
        self.table = table
        self.routes = routes
        tls = try Blueprint.serverTLS(configuration)
        userPrefixes = Blueprint.userPrefixes(configuration)
        apiTLS = try Blueprint.clientTLS(configuration.routesAPI.upstream?.tls ?? .init())
        connectionSettings = Blueprint.connectionSettings(configuration)
        errorPages = Blueprint.errorPages(configuration, apiTLS)
        redirects = configuration.listeners.map { Blueprint.redirect($0, configuration) }
        gateOptions = Blueprint.gateOptions(configuration, routes)
        (providerOptions, providerTLS) = try Blueprint.provider(configuration)
    }

    /// Reads certificates and keys.
    static func serverTLS(
        _ configuration: Configuration
    ) throws(TLSConfigurationError) -> [ServerTLS?] {
        var contexts: [ServerTLS?] = []
        for listener in configuration.listeners {
            guard let settings = listener.tls else {
                contexts.append(nil)
                continue
            }
            contexts.append(
                try ServerTLS(
                    settings.certificates.map {
                        ServerTLS.Certificate(
                            certificateFile: $0.certificate, keyFile: $0.key,
                            passphrase: $0.passphrase)
                    },
                    minimum: version(settings.minimum), maximum: version(settings.maximum),
                    ciphers: settings.ciphers, dhParametersFile: settings.dhparamFile,
                    clientCAFile: settings.clientCA,
                    clientCertificate: asking(settings.clientCertificate)))
        }
        return contexts
    }

    /// How a path that can be read in several ways finds its route.
    var readings: RoutingReadings { configuration.readingsMustAgree ? .mustAgree : .first }

    /// A loop's share of the connections that a server takes, at least one.
    static func perLoop(_ total: Int?, _ configuration: Configuration) -> Int? {
        total.map { max(1, $0 / Gateway.loopCount(configuration)) }
    }

    private static func target(
        _ settings: UpstreamSettings, _ configuration: Configuration
    ) throws(TLSConfigurationError) -> UpstreamTarget {
        UpstreamTarget(
            host: settings.url.host, port: settings.url.port,
            tls: settings.url.scheme == .https ? try clientTLS(settings.tls) : nil,
            connectTimeout: settings.connectTimeout,
            firstByteTimeout: settings.firstByteTimeout, responseIdle: settings.responseIdle,
            maximumConnections: perLoop(settings.maximumConnections, configuration))
    }

    private static func clientTLS(
        _ settings: UpstreamSettings.TLS
    ) throws(TLSConfigurationError) -> ClientTLS {
        let certificate = settings.certificate.map {
            ClientTLS.Certificate(certificateFile: $0, keyFile: settings.key ?? $0)
        }
        return try ClientTLS(
            caFile: settings.caFile, serverName: settings.serverName,
            insecureSkipVerify: settings.insecureSkipVerify, systemCAs: settings.trustsSystem,
            certificate: certificate, ciphers: settings.ciphers,
            minimum: version(settings.minimum ?? .tls12),
            maximum: version(settings.maximum ?? .tls13))
    }

    private static func version(_ version: ListenerTLSSettings.Version) -> TLSVersion {
        version == .tls12 ? .v12 : .v13
    }

    private static func asking(
        _ certificate: ListenerTLSSettings.ClientCertificate
    ) -> ServerTLS.ClientCertificate {
        switch certificate {
        case .none: .none
        case .request: .request
        case .require: .require
        }
    }

    static func rewriting(
        _ url: TargetURL?, _ prefix: String, _ settings: ForwardingSettings
    ) -> TargetRewriting {
        TargetRewriting(
            path: settings.prependPath ? url?.path ?? [] : [], isFolder: url?.isFolder ?? false,
            query: url?.query ?? [],
            cutting: settings.includePrefix ? [] : Array(prefix.utf8))
    }

    /// Whether JupyterHub tells the routes.
    var hasRoutesAPI: Bool { configuration.hasRoutesAPI }

    private static func redirect(
        _ listener: ListenerSettings, _ configuration: Configuration
    ) -> RedirectResponder.Settings? {
        // With sign-in, the gate sends whoever comes in clear to the right place.
        guard let redirect = listener.redirect, configuration.oidc == nil else { return nil }
        var port = redirect.port ?? configuration.publicURLs.first?.port
        if port == nil {
            let secure = configuration.listeners.first { $0.role == .public && $0.tls != nil }
            if case .tcp(_, let number)? = secure?.address { port = number }
        }
        return RedirectResponder.Settings(
            status: redirect.status, port: port == 443 ? nil : port,
            publicURLs: configuration.publicURLs)
    }

    private static func errorPages(
        _ configuration: Configuration, _ tls: ClientTLS
    ) -> ErrorPages? {
        let settings = configuration.forwarding.errorPages
        if let directory = settings.directory { return ErrorPages(directory: directory) }
        guard let text = settings.target, let url = TargetURL(parsing: text),
            let target = UpstreamTarget(url, tls: tls, configuration.limits.connectTime)
        else { return nil }
        return ErrorPages(server: target, path: url.path)
    }

    private static func userPrefixes(_ configuration: Configuration) -> RouteTable<Int> {
        var table = RouteTable<Int>(readings: .first)
        for prefix in configuration.routesAPI.userPrefixes {
            let path = RouteAddress(configuration.jupyterHub.baseURL.path.dropLast() + prefix).path
            table.set(Route.depth(of: path), host: nil, prefix: path)
        }
        return table
    }

    private static func connectionSettings(
        _ configuration: Configuration
    ) -> [ConnectionSettings] {
        let settings = configuration.forwarding
        let isRewriting = settings.autoRewrite || settings.protocolRewrite != nil
        let forwarding = ForwardingOptions(
            forwardedFields: mode(settings.forwardedFields),
            changesOrigin: settings.changeOrigin,
            location: isRewriting
                ? ForwardingOptions.LocationRewriting(
                    host: settings.autoRewrite, scheme: settings.protocolRewrite) : nil,
            requestFields: settings.requestFields.map { ($0.name, $0.value) })
        return configuration.listeners.map { listener in
            ConnectionSettings(
                publicPort: publicPort(listener, configuration), limits: configuration.limits,
                forwarding: forwarding, keepAliveIdle: listener.keepAliveIdle,
                exchangeIdle: settings.exchangeIdle, isLocal: listener.isLocal,
                front: front(listener.front, configuration))
        }
    }

    private static func mode(
        _ fields: ForwardingSettings.ForwardedFields
    ) -> ForwardingOptions.ForwardedFields {
        switch fields {
        case .replace: .replace
        case .append: .append
        case .pass: .pass
        }
    }

    /// The port that browsers use.
    private static func publicPort(
        _ listener: ListenerSettings, _ configuration: Configuration
    ) -> UInt16 {
        if let url = configuration.publicURLs.first { return url.port }
        if case .tcp(_, let port) = listener.address { return port }
        return 443
    }

    private static func gateOptions(
        _ configuration: Configuration, _ routes: [Route]
    ) -> Gate.Options {
        var names = Set(configuration.identityHeaders.keys)
        for route in configuration.routes { names.formUnion(route.identityHeaders.keys) }
        let limits = configuration.limits
        return Gate.Options(
            publicURLs: configuration.publicURLs,
            access: configuration.access.map { rule in
                AccessRule(
                    host: rule.host, pattern: pattern(rule.path), methods: rule.methods,
                    allow: expression(rule.allow))
            },
            session: SessionLimits(
                idle: configuration.session.idle, absolute: configuration.session.absolute,
                perUser: configuration.session.perUser, superseded: limits.supersededSession,
                tombstone: limits.tombstone),
            limits: limits, identityNames: names.sorted())
    }

    private static func pattern(_ path: RulePath) -> PathPattern {
        PathPattern(
            segments: path.segments.map { segment in
                switch segment {
                case .literal(let text): .literal(Array(text.utf8))
                case .any: .any
                }
            }, coversRest: path.coversRest)
    }

    private static func expression(_ allow: AllowExpression) -> AccessExpression {
        switch allow {
        case .anyone: .anyone
        case .signedIn: .signedIn
        case .deny: .deny
        case .user(let name): .user(name)
        case .group(let name): .group(name)
        case .realmRole(let name): .realmRole(name)
        case .clientRole(let client, let role): .clientRole(client: client, role: role)
        case .pathUser(let segment): .pathUser(segment: segment)
        case .any(let parts): .any(parts.map(expression))
        case .all(let parts): .all(parts.map(expression))
        }
    }

    private static func provider(
        _ configuration: Configuration
    ) throws(TLSConfigurationError) -> (ProviderClient.Options?, ClientTLS?) {
        guard let oidc = configuration.oidc else { return (nil, nil) }
        let options = ProviderClient.Options(
            issuer: oidc.issuer,
            credentials: ClientCredentials(clientID: oidc.clientID, secret: oidc.clientSecret),
            backChannelBase: oidc.backchannelBaseURL, scopes: oidc.scopes,
            limits: configuration.limits)
        return (options, try ClientTLS(caFile: oidc.caFile))
    }
}
