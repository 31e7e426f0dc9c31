import GatehouseBase

/// `upstreams` and `routes`.
extension ConfigurationDecoder {
    mutating func readUpstreams(_ root: MappingReader) {
        guard let node = root["upstreams"], let entries = entries(node, at: "upstreams") else {
            return
        }
        upstreamNames = entries.map(\.key)
        for entry in entries {
            guard isUpstreamName(entry.key) else {
                diagnostics.append(
                    Diagnostic(
                        .error, at: entry.keyPosition,
                        "'\(quoted(entry.key))' is no name for an upstream",
                        hint: "letters, digits, '-' and '_'"))
                continue
            }
            if let upstream = upstream(entry.value, named: entry.key) {
                configuration.upstreams.append(upstream)
            }
        }
    }

    private func isUpstreamName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }

    private mutating func upstream(_ node: YAMLNode, named name: String) -> UpstreamSettings? {
        let path = "upstreams.\(name)"
        guard let reader = mapping(node, at: path, Schema.upstream) else { return nil }
        let connect =
            reader["connect_timeout"].flatMap {
                duration($0, at: reader.path(of: "connect_timeout"))
            } ?? configuration.limits.connectTime
        let firstByte = duration(orNone: "first_byte_timeout", reader)
        let responseIdle = duration(orNone: "response_idle", reader)
        let tls = upstreamTLS(reader)
        var maximum: Int?
        if let node = reader["max_connections"] {
            let path = reader.path(of: "max_connections")
            if isWord(node, "none") {
                wrote(path, node)
            } else {
                maximum = number(node, at: path, in: 1...1_000_000, or: "'none'")
            }
        }
        guard let urlNode = reader["url"] else {
            missing(reader.path(of: "url"), reader, hint: "such as 'url: http://hub:8081'")
            return nil
        }
        guard let url = origin(urlNode, at: reader.path(of: "url")) else { return nil }
        var upstream = UpstreamSettings(
            name: name, url: url, connectTimeout: connect, firstByteTimeout: firstByte, tls: tls)
        upstream.responseIdle = responseIdle
        upstream.maximumConnections = maximum
        return upstream
    }

    private mutating func upstreamTLS(_ upstream: MappingReader) -> UpstreamSettings.TLS {
        var tls = UpstreamSettings.TLS()
        guard let node = upstream["tls"],
            let reader = mapping(node, at: upstream.path(of: "tls"), Schema.upstreamTLS)
        else { return tls }
        tls.caFile = reader["ca_file"].flatMap { path($0, at: reader.path(of: "ca_file")) }
        tls.certificate = reader["certificate"].flatMap {
            path($0, at: reader.path(of: "certificate"))
        }
        tls.key = reader["key"].flatMap { path($0, at: reader.path(of: "key")) }
        tls.serverName = reader["server_name"].flatMap {
            host($0, at: reader.path(of: "server_name"))
        }
        tls.insecureSkipVerify =
            reader["insecure_skip_verify"].flatMap {
                flag($0, at: reader.path(of: "insecure_skip_verify"))
            } ?? false
        return tls
    }

    mutating func readRoutes(_ root: MappingReader) {
        guard let node = root["routes"] else { return }
        configuration.routes = kept(list(node, at: "routes"), of: "routes") {
            decoder, item, path in decoder.route(item, at: path)
        }
    }

    private mutating func route(_ node: YAMLNode, at path: String) -> RouteSettings? {
        guard let reader = mapping(node, at: path, Schema.route) else { return nil }
        let host = reader["host"].map { self.host($0, at: reader.path(of: "host")) }
        var identity: [String: String?] = [:]
        if let node = reader["identity"],
            let block = mapping(node, at: reader.path(of: "identity"), Schema.routeIdentity)
        {
            identity = headers(block)
        }
        let preset = reader["preset"].map {
            word($0, at: reader.path(of: "preset"), as: RoutePreset.self)
        }
        let maximumBody = size(orNone: "max_body", reader)
        let prefix = prefix(reader)
        let upstream = routeUpstream(reader)
        guard let prefix, let upstream, host != .some(nil), preset != .some(nil) else { return nil }
        var route = RouteSettings(
            host: host ?? nil, path: prefix, upstream: upstream, identityHeaders: identity)
        route.preset = preset ?? nil
        route.maximumBody = maximumBody
        return route
    }

    /// A path prefix without slash at its end.
    private mutating func prefix(_ reader: MappingReader) -> String? {
        let path = reader.path(of: "path")
        guard let node = reader["path"] else {
            missing(path, reader, hint: "write 'path: /' for all paths")
            return nil
        }
        guard let text = text(node, at: path) else { return nil }
        let prefix = text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
        do throws(RulePath.ParseError) {
            let pattern = try RulePath(parsing: prefix)
            guard !pattern.coversRest, !pattern.segments.contains(.any) else {
                throw RulePath.ParseError(
                    message: "a route is a prefix and has no '*'",
                    hint: "'/user' covers everything below it")
            }
            return prefix
        } catch {
            fail(node, "'\(path)' is '\(quoted(text))': \(error.message)", hint: error.hint)
            return nil
        }
    }

    /// The upstream that a route names, or one made of its bare URL.
    private mutating func routeUpstream(_ reader: MappingReader) -> UpstreamSettings? {
        let path = reader.path(of: "upstream")
        guard let node = reader["upstream"] else {
            missing(path, reader, hint: "a name of 'upstreams', or a URL such as 'http://hub:8081'")
            return nil
        }
        guard let text = text(node, at: path) else { return nil }
        if text.contains(":") || text.contains("/") {
            return origin(node, at: path).map { url in
                UpstreamSettings(
                    name: url.description, url: url,
                    connectTimeout: configuration.limits.connectTime)
            }
        }
        usedUpstreams.insert(text)
        if let upstream = configuration.upstreams.first(where: { $0.name == text }) {
            return upstream
        }
        // One that is there but could not be read has been complained about already.
        guard !upstreamNames.contains(text) else { return nil }
        fail(
            node, "'\(path)' is '\(quoted(text))', which is not in 'upstreams'",
            hint: Suggestion.hint(for: text, among: upstreamNames)
                ?? "write it there, or a URL such as 'http://hub:8081'")
        return nil
    }
}
