import GatehouseBase

/// Listeners, upstreams, and what happens between them.
extension EffectiveSettings {
    mutating func writeListeners() {
        write("listeners:")
        for (index, listener) in configuration.listeners.enumerated() {
            let path = "listeners[\(index)]"
            write("  - ", "address", scalar(listener.address.description), "\(path).address")
            write("    ", "role", listener.role.rawValue, "\(path).role")
            if listener.redirect != nil {
                write("    ", "redirect_to_https", "true", "\(path).redirect_to_https")
            }
            if let file = listener.tokenFile {
                write("    ", "token_file", scalar(file), "\(path).token_file")
            }
            if let tls = listener.tls { write(tls, "\(path).tls") }
            if listener.role == .public { write(listener.front, "\(path).front") }
        }
    }

    private mutating func write(_ front: FrontSettings, _ path: String) {
        write("    front:")
        write("      ", "profile", front.profile.rawValue, "\(path).profile")
        write("      ", "trusted", flow(front.trustedTexts), "\(path).trusted")
    }

    private mutating func write(_ tls: ListenerTLSSettings, _ path: String) {
        write("    tls:")
        write("      certificates:")
        for (place, pair) in tls.certificates.enumerated() {
            let path = "\(path).certificates[\(place)]"
            write("        - ", "certificate", scalar(pair.certificate), "\(path).certificate")
            write("          ", "key", scalar(pair.key), "\(path).key")
        }
        write("      ", "minimum", "\"\(tls.minimum.rawValue)\"", "\(path).minimum")
        write("      ", "maximum", "\"\(tls.maximum.rawValue)\"", "\(path).maximum")
        write("      ", "ciphers", text(tls.ciphers), "\(path).ciphers")
        write("      ", "dhparam_file", text(tls.dhparamFile), "\(path).dhparam_file")
        write("      ", "client_ca", text(tls.clientCA), "\(path).client_ca")
        write(
            "      ", "client_certificate", tls.clientCertificate.rawValue,
            "\(path).client_certificate")
    }

    mutating func writeUpstreams() {
        guard !configuration.upstreams.isEmpty else { return write("upstreams: {}") }
        write("upstreams:")
        for upstream in configuration.upstreams {
            let path = "upstreams.\(upstream.name)"
            write("  \(scalar(upstream.name)):")
            write("    ", "url", scalar(upstream.url.description), "\(path).url")
            write(
                "    ", "connect_timeout", Units.text(upstream.connectTimeout),
                "\(path).connect_timeout")
            write(
                "    ", "first_byte_timeout", upstream.firstByteTimeout.map(Units.text) ?? "none",
                "\(path).first_byte_timeout")
            write(
                "    ", "response_idle", upstream.responseIdle.map(Units.text) ?? "none",
                "\(path).response_idle")
            write(
                "    ", "max_connections", upstream.maximumConnections.map { "\($0)" } ?? "none",
                "\(path).max_connections")
            guard upstream.url.scheme == .https else { continue }
            let tls = upstream.tls
            write("    tls:")
            write("      ", "ca_file", text(tls.caFile), "\(path).tls.ca_file")
            write("      ", "certificate", text(tls.certificate), "\(path).tls.certificate")
            write("      ", "key", text(tls.key), "\(path).tls.key")
            write("      ", "server_name", text(tls.serverName), "\(path).tls.server_name")
            write(
                "      ", "insecure_skip_verify", "\(tls.insecureSkipVerify)",
                "\(path).tls.insecure_skip_verify")
        }
    }

    mutating func writeRoutesAPI() {
        let settings = configuration.routesAPI
        write("routes_api:")
        write("  ", "user_prefixes", flow(settings.userPrefixes), "routes_api.user_prefixes")
        write(
            "  ", "stored_route_lifetime", Units.text(settings.storedRouteLifetime),
            "routes_api.stored_route_lifetime")
        write("  ", "host_routing", "\(settings.hostRouting)", "routes_api.host_routing")
        write("  ", "activity", settings.activity.rawValue, "routes_api.activity")
    }

    mutating func writeForwarding() {
        let settings = configuration.forwarding
        let path = "forwarding"
        write("forwarding:")
        write(
            "  ", "forwarded_fields", settings.forwardedFields.rawValue,
            "\(path).forwarded_fields")
        write("  ", "prepend_path", "\(settings.prependPath)", "\(path).prepend_path")
        write("  ", "include_prefix", "\(settings.includePrefix)", "\(path).include_prefix")
        write("  ", "change_origin", "\(settings.changeOrigin)", "\(path).change_origin")
        write("  ", "auto_rewrite", "\(settings.autoRewrite)", "\(path).auto_rewrite")
        write("  ", "protocol_rewrite", text(settings.protocolRewrite), "\(path).protocol_rewrite")
        if settings.requestFields.isEmpty {
            write("  ", "request_fields", "{}", "\(path).request_fields")
        } else {
            write("  request_fields:")
            for field in settings.requestFields {
                let value = FieldNames.mayHoldSecret(field.name) ? "‹secret›" : scalar(field.value)
                write("    ", scalar(field.name), value, "\(path).request_fields.\(field.name)")
            }
        }
        write("  error_pages:")
        let pages = settings.errorPages
        write("    ", "directory", text(pages.directory), "\(path).error_pages.directory")
        write("    ", "target", text(pages.target), "\(path).error_pages.target")
    }

    private func text(_ value: String?) -> String { value.map(scalar) ?? "null" }
}
