/// `access`.
extension ConfigurationDecoder {
    mutating func readAccess(_ root: MappingReader) {
        guard let node = root["access"] else { return }
        configuration.access = kept(list(node, at: "access"), of: "access") {
            decoder, item, path in decoder.rule(item, at: path)
        }
    }

    private mutating func rule(_ node: YAMLNode, at path: String) -> AccessRuleSettings? {
        guard let reader = mapping(node, at: path, Schema.rule) else { return nil }
        let host = reader["host"].map { self.host($0, at: reader.path(of: "host")) }
        let methods = reader["methods"].map { self.methods($0, at: reader.path(of: "methods")) }
        let pattern = pattern(reader)
        let allowPath = reader.path(of: "allow")
        guard let allowNode = reader["allow"] else {
            missing(allowPath, reader, hint: "such as 'allow: signed_in'")
            return nil
        }
        let allow = expression(allowNode, at: allowPath, depth: 0)
        guard let pattern, let allow, host != .some(nil), methods != .some(nil) else { return nil }
        checkPathUser(allow, pattern, allowNode, at: allowPath)
        return AccessRuleSettings(
            host: host ?? nil, path: pattern, methods: methods ?? nil, allow: allow)
    }

    private mutating func pattern(_ reader: MappingReader) -> RulePath? {
        let path = reader.path(of: "path")
        guard let node = reader["path"] else {
            missing(path, reader, hint: "write 'path: /**' for all paths")
            return nil
        }
        guard let text = text(node, at: path) else { return nil }
        do throws(RulePath.ParseError) {
            return try RulePath(parsing: text)
        } catch {
            fail(node, "'\(path)' is '\(quoted(text))': \(error.message)", hint: error.hint)
            return nil
        }
    }

    private mutating func methods(_ node: YAMLNode, at path: String) -> [String]? {
        let items = list(node, at: path)
        guard !items.isEmpty else {
            if case .sequence = node.content {
                fail(node, "'\(path)' is empty", hint: "leave it out for all methods")
            }
            return nil
        }
        var methods: [String] = []
        for (index, item) in items.enumerated() {
            let place = "\(path)[\(index)]"
            guard let text = text(item, at: place) else { continue }
            let upper = text.uppercased()
            if !FieldNames.isToken(text) {
                fail(
                    item, "'\(place)' is '\(quoted(text))', which is no method",
                    hint: "such as 'GET'")
            } else if upper == "CONNECT" || upper == "TRACE" {
                fail(item, "'\(place)' is '\(text)', which is always refused", hint: "remove it")
            } else if text != upper, FieldNames.commonMethods.contains(upper) {
                fail(
                    item, "'\(place)' is '\(text)': methods are compared with case",
                    hint: "write '\(upper)'")
            } else {
                methods.append(text)
            }
        }
        return methods.count == items.count ? methods : nil
    }

    private mutating func expression(
        _ node: YAMLNode, at path: String, depth: Int
    ) -> AllowExpression? {
        switch node.content {
        case .scalar(let text, _): return word(text, node, at: path, depth: depth)
        case .sequence:
            fail(
                node, "'\(path)' is a list", hint: "write 'any: […]' or 'all: […]' around it")
            return nil
        case .mapping(let entries):
            guard mapping(node, at: path, Schema.allow) != nil else { return nil }
            guard let entry = entries.first, entries.count == 1 else {
                let hint =
                    entries.isEmpty
                    ? "such as 'signed_in'" : "write 'all: [{…}, {…}]' or 'any: […]'"
                fail(node, "'\(path)' has \(entries.count) conditions, not one", hint: hint)
                return nil
            }
            return condition(entry, at: "\(path).\(entry.key)", depth: depth)
        }
    }

    private mutating func word(
        _ text: String, _ node: YAMLNode, at path: String, depth: Int
    ) -> AllowExpression? {
        wrote(path, node)
        switch text {
        case "signed_in": return .signedIn
        case "public", "deny":
            guard depth == 0 else {
                fail(
                    node, "'\(path)' is '\(text)', which stands alone",
                    hint: "it decides whatever stands beside it")
                return nil
            }
            return text == "public" ? .anyone : .deny
        default:
            if Schema.allow.built.contains(text) || Schema.allow.waiting.contains(text) {
                fail(node, "'\(path)' is '\(text)' without a value", hint: "write '{\(text): …}'")
            } else {
                let known = Schema.allowWords + Schema.allow.built
                fail(
                    node, "'\(path)' is '\(quoted(text))', which allows nobody that is known",
                    hint: Suggestion.hint(for: text, among: known)
                        ?? "\(Schema.allowWords.joined(separator: ", ")), or a condition such as "
                        + "'{group: /staff}'")
            }
            return nil
        }
    }

    private mutating func condition(
        _ entry: YAMLNode.Entry, at path: String, depth: Int
    ) -> AllowExpression? {
        let node = entry.value
        switch entry.key {
        case "any": return parts(node, at: path, depth: depth).map { .any($0) }
        case "all": return parts(node, at: path, depth: depth).map { .all($0) }
        case "path_user":
            return number(node, at: path, in: 1...32).map { .pathUser(segment: $0) }
        case "user", "group", "realm_role":
            guard let value = singleClaim(node, at: path) else { return nil }
            switch entry.key {
            case "user": return .user(value)
            case "group": return .group(value)
            default: return .realmRole(value)
            }
        case "client_role":
            guard let value = singleClaim(node, at: path) else { return nil }
            let halves = value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, !halves[0].isEmpty, !halves[1].isEmpty else {
                fail(
                    node, "'\(path)' is '\(quoted(value))': it is a client, '/' and a role",
                    hint: "such as 'gatehouse/viewer'")
                return nil
            }
            return .clientRole(client: String(halves[0]), role: String(halves[1]))
        default: return nil
        }
    }

    private mutating func singleClaim(_ node: YAMLNode, at path: String) -> String? {
        if case .sequence = node.content {
            let name = path.split(separator: ".").last ?? ""
            fail(
                node, "'\(path)' is a list, not a single value",
                hint: "write 'any: [{\(name): …}, {\(name): …}]'")
            return nil
        }
        return text(node, at: path)
    }

    private mutating func parts(
        _ node: YAMLNode, at path: String, depth: Int
    ) -> [AllowExpression]? {
        let items = list(node, at: path)
        guard !items.isEmpty else {
            if case .sequence = node.content {
                fail(node, "'\(path)' is empty", hint: "write at least one condition")
            }
            return nil
        }
        var parts: [AllowExpression] = []
        for (index, item) in items.enumerated() {
            if let part = expression(item, at: "\(path)[\(index)]", depth: depth + 1) {
                parts.append(part)
            }
        }
        return parts.count == items.count ? parts : nil
    }

    /// The segment of `path_user` must be one that the pattern leaves open.
    private mutating func checkPathUser(
        _ allow: AllowExpression, _ pattern: RulePath, _ node: YAMLNode, at path: String
    ) {
        switch allow {
        case .any(let parts), .all(let parts):
            for part in parts { checkPathUser(part, pattern, node, at: path) }
        case .pathUser(let segment):
            if segment > pattern.segments.count {
                guard !pattern.coversRest else { return }
                fail(
                    node,
                    "'path_user' is segment \(segment), and '\(pattern)' has "
                        + "\(pattern.segments.count)", hint: "segments count from 1")
            } else if pattern.segments[segment - 1] != .any {
                fail(
                    node,
                    "'path_user' is segment \(segment), which is the same for everybody in "
                        + "'\(pattern)'", hint: "count from 1, and write '*' for the user's name")
            }
        default: return
        }
    }
}
