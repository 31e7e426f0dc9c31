/// `routes_api`, `forwarding` and `pid_file`.
extension ConfigurationDecoder {
    mutating func readRoutesAPI(_ root: MappingReader) {
        if let node = root["pid_file"] { configuration.pidFile = path(node, at: "pid_file") }
        guard let node = root["routes_api"],
            let reader = mapping(node, at: "routes_api", Schema.routesAPI)
        else { return }
        if let node = reader["user_prefixes"] {
            let path = reader.path(of: "user_prefixes")
            let items = list(node, at: path).enumerated()
            configuration.routesAPI.userPrefixes = items.compactMap { index, item in
                userPrefix(item, at: "\(path)[\(index)]")
            }
        }
        if let node = reader["stored_route_lifetime"],
            let time = duration(node, at: reader.path(of: "stored_route_lifetime"))
        {
            configuration.routesAPI.storedRouteLifetime = time
        }
        if let routes = flag("host_routing", reader) {
            configuration.routesAPI.hostRouting = routes
        }
        if let node = reader["activity"],
            let activity = word(
                node, at: reader.path(of: "activity"), as: RoutesAPISettings.Activity.self)
        {
            configuration.routesAPI.activity = activity
        }
    }

    /// A prefix of at least one segment, with a slash at its end.
    private mutating func userPrefix(_ node: YAMLNode, at path: String) -> String? {
        guard let text = text(node, at: path) else { return nil }
        let bare = text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
        do throws(RulePath.ParseError) {
            let pattern = try RulePath(parsing: bare)
            let isPrefix = !pattern.coversRest && !pattern.segments.contains(.any)
            guard isPrefix, !pattern.segments.isEmpty else {
                throw RulePath.ParseError(
                    message: "it is a prefix of one segment or more, without '*'",
                    hint: "such as '/user/'")
            }
            return bare + "/"
        } catch {
            fail(node, "'\(path)' is '\(quoted(text))': \(error.message)", hint: error.hint)
            return nil
        }
    }

    mutating func readForwarding(_ root: MappingReader) {
        guard let node = root["forwarding"],
            let reader = mapping(node, at: "forwarding", Schema.forwarding)
        else { return }
        if let node = reader["forwarded_fields"],
            let fields = word(
                node, at: reader.path(of: "forwarded_fields"),
                as: ForwardingSettings.ForwardedFields.self)
        {
            configuration.forwarding.forwardedFields = fields
        }
        let flags: [(String, WritableKeyPath<ForwardingSettings, Bool>)] = [
            ("prepend_path", \.prependPath), ("include_prefix", \.includePrefix),
            ("change_origin", \.changeOrigin), ("auto_rewrite", \.autoRewrite),
        ]
        for (name, key) in flags {
            if let value = flag(name, reader) { configuration.forwarding[keyPath: key] = value }
        }
        if let node = reader["protocol_rewrite"],
            let text = text(node, at: reader.path(of: "protocol_rewrite"))
        {
            if ["http", "https"].contains(text) {
                configuration.forwarding.protocolRewrite = text
            } else {
                oneOf(["http", "https"], node, text, at: reader.path(of: "protocol_rewrite"))
            }
        }
        if let node = reader["request_fields"] {
            readRequestFields(node, at: reader.path(of: "request_fields"))
        }
        if let node = reader["error_pages"] {
            readErrorPages(node, at: reader.path(of: "error_pages"))
        }
    }

    private mutating func flag(_ key: String, _ reader: MappingReader) -> Bool? {
        reader[key].flatMap { flag($0, at: reader.path(of: key)) }
    }

    private mutating func readRequestFields(_ node: YAMLNode, at path: String) {
        guard let entries = entries(node, at: path) else { return }
        configuration.forwarding.requestFields = []
        for entry in entries {
            let place = "\(path).\(entry.key)"
            let fields = configuration.forwarding.requestFields
            let other = fields.first {
                FieldNames.folded($0.name) == FieldNames.folded(entry.key)
            }
            guard let value = text(entry.value, at: place) else { continue }
            let problem =
                other.map { "it is the same field as '\($0.name)' for many servers" }
                ?? FieldNames.refusal(ofRequestField: entry.key, value)
            if let problem {
                diagnostics.append(
                    Diagnostic(
                        .error, at: entry.keyPosition, "'\(quoted(place))': \(problem)"))
                continue
            }
            configuration.forwarding.requestFields.append(
                ForwardingSettings.Field(name: entry.key, value: value))
        }
    }

    private mutating func readErrorPages(_ node: YAMLNode, at path: String) {
        guard let reader = mapping(node, at: path, Schema.errorPages) else { return }
        var pages = ForwardingSettings.ErrorPages()
        pages.directory = reader["directory"].flatMap {
            self.path($0, at: reader.path(of: "directory"))
        }
        pages.target = reader["target"].flatMap { token($0, at: reader.path(of: "target")) }
        configuration.forwarding.errorPages = pages
    }
}
