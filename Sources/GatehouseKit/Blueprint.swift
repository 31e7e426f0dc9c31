import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseNet
import GatehouseOIDC
import GatehouseProxy

/// A route as it is used: where it goes, and what the gate must know of it.
struct Route: Sendable {
    /// For the log: `host/path`.
    let name: String
    let target: UpstreamTarget
    let identity: RouteIdentity
}

/// What a configuration comes to at run time: immutable, made whole at start and on reload. An
/// object, because every request holds it.
final class Blueprint: Sendable {
    let configuration: Configuration
    let table: RouteTable<Int>
    let routes: [Route]
    /// By listener; nil in clear.
    let tls: [ServerTLS?]
    let gateOptions: Gate.Options
    let providerOptions: ProviderClient.Options?
    let providerTLS: ClientTLS?
    /// The port that browsers use, by listener.
    let publicPorts: [UInt16]

    /// - Parameter previous: its targets go on being used where nothing has changed, and with them
    ///   the idle connections.
    init(
        _ configuration: Configuration, previous: Blueprint? = nil
    ) throws(TLSConfigurationError) {
        self.configuration = configuration
        var table = RouteTable<Int>()
        var routes: [Route] = []
        var targets: [UpstreamSettings: UpstreamTarget] = [:]
        if let previous {
            for (settings, route) in zip(previous.configuration.routes, previous.routes)
            where settings.upstream.tls.caFile == nil {
                targets[settings.upstream] = route.target
            }
        }
        for settings in configuration.routes {
            let target: UpstreamTarget
            if let known = targets[settings.upstream] {
                target = known
            } else {
                target = try Blueprint.target(settings.upstream)
            }
            targets[settings.upstream] = target
            table.set(routes.count, host: settings.host, prefix: settings.path)
            routes.append(
                Route(
                    name: (settings.host ?? "") + settings.path, target: target,
                    identity: Blueprint.identity(settings, configuration)))
        }
        self.table = table
        self.routes = routes
        tls = try Blueprint.serverTLS(configuration)
        publicPorts = configuration.listeners.map { listener in
            if let url = configuration.publicURLs.first { return url.port }
            if case .tcp(_, let port) = listener.address { return port }
            return 443
        }
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
                        ServerTLS.Certificate(certificateFile: $0.certificate, keyFile: $0.key)
                    },
                    minimum: settings.minimum == .tls12 ? .v12 : .v13,
                    maximum: settings.maximum == .tls12 ? .v12 : .v13))
        }
        return contexts
    }

    private static func target(
        _ settings: UpstreamSettings
    ) throws(TLSConfigurationError) -> UpstreamTarget {
        var tls: ClientTLS?
        if settings.url.scheme == .https {
            tls = try ClientTLS(
                caFile: settings.tls.caFile, serverName: settings.tls.serverName,
                insecureSkipVerify: settings.tls.insecureSkipVerify)
        }
        return UpstreamTarget(
            host: settings.url.host, port: settings.url.port, tls: tls,
            connectTimeout: settings.connectTimeout,
            firstByteTimeout: settings.firstByteTimeout)
    }

    private static func identity(
        _ route: RouteSettings, _ configuration: Configuration
    ) -> RouteIdentity {
        var headers: [String: (name: String, claim: String)] = [:]
        for (name, claim) in configuration.identityHeaders {
            headers[name.lowercased()] = (name, claim)
        }
        for (name, claim) in route.identityHeaders {
            headers[name.lowercased()] = claim.map { (name, $0) }
        }
        return RouteIdentity(
            identityHeaders: headers.values.sorted { $0.name < $1.name })
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
