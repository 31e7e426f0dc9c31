import GatehouseBase

/// The settings in force, as YAML with the origin of each as a comment: what `gatehouse check`
/// prints.
///
/// The decoder reads it back as the same configuration, but for secrets, which are `‹secret›`.
public struct EffectiveSettings {
    let configuration: Configuration
    private var lines: [String] = []

    /// The whole text, with a line feed at its end.
    public static func yaml(of configuration: Configuration) -> String {
        var settings = EffectiveSettings(configuration: configuration)
        settings.writeGeneral()
        settings.writeListeners()
        settings.writeUpstreams()
        settings.writeRoutes()
        settings.writeRoutesAPI()
        settings.writeForwarding()
        settings.writeAccess()
        settings.writeProvider()
        settings.writeSession()
        settings.writeHeaders(configuration.identityHeaders.mapValues { $0 }, in: "identity", "")
        settings.writeJupyterHub()
        settings.writeLimits()
        settings.writeLog()
        settings.writeClient()
        return settings.lines.joined(separator: "\n") + "\n"
    }

    private init(configuration: Configuration) { self.configuration = configuration }

    /// One `key: value  # origin`, indented by `indent`; `value` is YAML already.
    mutating func write(_ indent: String, _ key: String, _ value: String, _ path: String) {
        let origin = configuration.origin(of: path)
        lines.append("\(indent)\(key): \(value)  # \(origin)")
    }

    mutating func write(_ line: String) { lines.append(line) }

    /// A text as a double-quoted scalar, unless it is plainly a plain one.
    func scalar(_ text: String) -> String { EffectiveSettings.scalar(text) }

    static func scalar(_ text: String) -> String {
        let plain = Array("/._-".utf8)
        let isPlain =
            text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
                    || plain.contains(byte)
            } && !text.hasPrefix("-") && text != "null" && !text.isEmpty
        guard !isPlain else { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}",
                "\u{FFFE}", "\u{FFFF}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    func flow(_ texts: [String]) -> String {
        "[" + texts.map(scalar).joined(separator: ", ") + "]"
    }

    // MARK: One block each

    private mutating func writeGeneral() {
        let configuration = configuration
        write("", "public_urls", flow(configuration.publicURLs.map(\.description)), "public_urls")
        switch configuration.stateDirectory {
        case .none: write("", "state_dir", "none", "state_dir")
        case .path(let path): write("", "state_dir", scalar(path), "state_dir")
        }
        if configuration.keys != nil {
            write("# keys: \(Secret(""))  # \(configuration.origin(of: "keys"))")
        } else {
            write("", "keys_file", configuration.keysFile.map(scalar) ?? "null", "keys_file")
        }
        write("", "pid_file", configuration.pidFile.map(scalar) ?? "null", "pid_file")
        switch configuration.loops {
        case .auto: write("", "loops", "auto", "loops")
        case .count(let count): write("", "loops", "\(count)", "loops")
        }
    }

    private mutating func writeRoutes() {
        guard !configuration.routes.isEmpty else { return write("routes: []") }
        write("routes:")
        for (index, route) in configuration.routes.enumerated() {
            let path = "routes[\(index)]"
            write("  - ", "path", scalar(route.path), "\(path).path")
            if let host = route.host { write("    ", "host", scalar(host), "\(path).host") }
            write("    ", "upstream", scalar(route.upstream.name), "\(path).upstream")
            if let preset = route.preset {
                write("    ", "preset", preset.rawValue, "\(path).preset")
            }
            write(
                "    ", "max_body", route.maximumBody.map(Units.text) ?? "none",
                "\(path).max_body")
            if !route.identityHeaders.isEmpty {
                writeHeaders(route.identityHeaders, in: "\(path).identity", "    ")
            }
        }
    }

    private mutating func writeHeaders(
        _ headers: [String: String?], in path: String, _ indent: String
    ) {
        write("\(indent)identity:")
        guard !headers.isEmpty else {
            return write("\(indent)  ", "headers", "{}", "\(path).headers")
        }
        write("\(indent)  headers:")
        for (name, claim) in headers.sorted(by: { $0.key < $1.key }) {
            write(
                "\(indent)    ", scalar(name), claim.map(scalar) ?? "null",
                "\(path).headers.\(name)")
        }
    }

    private mutating func writeAccess() {
        guard !configuration.access.isEmpty else { return write("access: []") }
        write("access:")
        for (index, rule) in configuration.access.enumerated() {
            let path = "access[\(index)]"
            write("  - ", "path", scalar(rule.path.description), "\(path).path")
            if let host = rule.host { write("    ", "host", scalar(host), "\(path).host") }
            if let methods = rule.methods {
                write("    ", "methods", flow(methods), "\(path).methods")
            }
            write("    ", "allow", text(rule.allow), "\(path).allow")
        }
    }

    private func text(_ expression: AllowExpression) -> String {
        switch expression {
        case .anyone: "public"
        case .signedIn: "signed_in"
        case .deny: "deny"
        case .user(let name): "{user: \(scalar(name))}"
        case .group(let name): "{group: \(scalar(name))}"
        case .realmRole(let role): "{realm_role: \(scalar(role))}"
        case .clientRole(let client, let role): "{client_role: \(scalar("\(client)/\(role)"))}"
        case .pathUser(let segment): "{path_user: \(segment)}"
        case .any(let parts): "{any: [\(parts.map(text).joined(separator: ", "))]}"
        case .all(let parts): "{all: [\(parts.map(text).joined(separator: ", "))]}"
        }
    }

    private mutating func writeProvider() {
        guard let oidc = configuration.oidc else { return }
        write("oidc:")
        write("  ", "issuer", scalar(oidc.issuer), "oidc.issuer")
        write("  ", "client_id", scalar(oidc.clientID), "oidc.client_id")
        // What was read from a file is named by it; the text of a secret is nowhere printed.
        if let file = oidc.clientSecretFile {
            write("  ", "client_secret_file", scalar(file), "oidc.client_secret_file")
            if case .environment(let name) = configuration.origin(of: "oidc.client_secret") {
                write("  # client_secret: \(oidc.clientSecret)  # environment \(name)")
            }
        } else {
            write("  ", "client_secret", "\(oidc.clientSecret)", "oidc.client_secret")
        }
        write(
            "  ", "backchannel_base_url", oidc.backchannelBaseURL.map(scalar) ?? "null",
            "oidc.backchannel_base_url")
        write("  ", "ca_file", oidc.caFile.map(scalar) ?? "null", "oidc.ca_file")
        write("  ", "scopes", flow(oidc.scopes), "oidc.scopes")
    }

    private mutating func writeSession() {
        let session = configuration.session
        write("session:")
        write("  ", "idle", Units.text(session.idle), "session.idle")
        write("  ", "absolute", Units.text(session.absolute), "session.absolute")
        write("  ", "per_user", "\(session.perUser)", "session.per_user")
    }

    private mutating func writeJupyterHub() {
        let hub = configuration.jupyterHub
        write("jupyterhub:")
        write("  ", "base_url", scalar(hub.baseURL.description), "jupyterhub.base_url")
        write("  ", "api_url", hub.apiURL.map(scalar) ?? "null", "jupyterhub.api_url")
    }

    private mutating func writeLimits() {
        write("limits:")
        for limit in Limits.all {
            write("  ", limit.name, limit.text(in: configuration.limits), "limits.\(limit.name)")
        }
    }

    private mutating func writeLog() {
        write("log:")
        write("  ", "level", configuration.log.level.name, "log.level")
        write("  ", "format", configuration.log.format.rawValue, "log.format")
        write("  ", "access", "\(configuration.log.access)", "log.access")
    }
}

extension Limit {
    /// The value of this limit in `limits`, as it is written.
    func text(in limits: Limits) -> String {
        switch value {
        case .size(let key): Units.text(limits[keyPath: key])
        case .count(let key): String(limits[keyPath: key])
        case .time(let key): Units.text(limits[keyPath: key])
        case .patience(let key): limits[keyPath: key].map(Units.text) ?? "none"
        }
    }
}
