import GatehouseBase

/// `oidc`, `session` and `identity`.
extension ConfigurationDecoder {
    mutating func readProvider(_ root: MappingReader) {
        guard let node = root["oidc"], let reader = mapping(node, at: "oidc", Schema.oidc) else {
            return
        }
        let issuer = requiredToken("issuer", reader, hint: "the provider's address")
        let client = requiredToken("client_id", reader, hint: "the client's name at the provider")
        let backchannel = reader["backchannel_base_url"].flatMap {
            token($0, at: "oidc.backchannel_base_url")
        }
        let caFile = reader["ca_file"].flatMap { path($0, at: "oidc.ca_file") }
        let scopes = reader["scopes"].map { texts($0, at: "oidc.scopes") } ?? []
        let file = reader["client_secret_file"].flatMap { path($0, at: "oidc.client_secret_file") }
        let secret = clientSecret(reader, file: file)
        guard let issuer, let client, let secret else { return }
        configuration.oidc = ProviderSettings(
            issuer: issuer, clientID: client, clientSecret: secret, clientSecretFile: file,
            backchannelBaseURL: backchannel, caFile: caFile, scopes: scopes)
    }

    private mutating func requiredToken(
        _ key: String, _ reader: MappingReader, hint: String
    ) -> String? {
        guard let node = reader[key] else {
            missing(reader.path(of: key), reader, hint: hint)
            return nil
        }
        return token(node, at: reader.path(of: key))
    }

    /// The secret from the environment, the file or the text, in this order. No message holds it.
    private mutating func clientSecret(_ reader: MappingReader, file: String?) -> Secret? {
        let path = "oidc.client_secret"
        let name = "GATEHOUSE_OIDC_CLIENT_SECRET"
        let inline = reader["client_secret"]
        if let inline, reader["client_secret_file"] != nil {
            fail(
                inline, "'\(path)' and 'oidc.client_secret_file' are both written",
                hint: "keep the file")
            return nil
        }
        if let value = variable(name) {
            configuration.origins[path] = .environment(name)
            do throws(SecretText.ReadError) {
                return try SecretText.read(Array(value.utf8))
            } catch {
                diagnostics.append(
                    Diagnostic(
                        .error, source: "environment \(name)",
                        "the client's secret \(error.reason)",
                        hint: error.isEmpty
                            ? "set it to the client's secret, or leave it out"
                            : "set it to the client's secret alone"))
                return nil
            }
        }
        if let node = reader["client_secret_file"] {
            return file.flatMap { secret(inFile: $0, node) }
        }
        guard let inline else {
            diagnostics.append(
                Diagnostic(
                    .error, at: reader.position, "'oidc' has no client secret",
                    hint: "write 'client_secret_file: FILE', or set \(name)"))
            return nil
        }
        guard case .scalar(let text, _) = inline.content, !text.isEmpty else {
            fail(inline, "'\(path)' is no text", hint: "write 'client_secret_file: FILE' instead")
            return nil
        }
        guard text != Secret("").description else {
            fail(
                inline, "'\(path)' is the placeholder that stands for a secret in print",
                hint: "write 'client_secret_file: FILE', or set \(name)")
            return nil
        }
        wrote(path, inline)
        return Secret(text)
    }

    private mutating func secret(inFile file: String, _ node: YAMLNode) -> Secret? {
        let setting = "'oidc.client_secret_file' is '\(quoted(file))'"
        do throws(SecretText.ReadError) {
            return try SecretText.read(file, with: readFile)
        } catch {
            let hint = error.isEmpty ? "write the client's secret into it" : nil
            fail(node, "\(setting), which \(error.reason)", hint: hint)
            return nil
        }
    }

    mutating func readSession(_ root: MappingReader) {
        guard let node = root["session"],
            let reader = mapping(node, at: "session", Schema.session)
        else { return }
        if let node = reader["idle"], let idle = duration(node, at: "session.idle") {
            configuration.session.idle = idle
        }
        if let node = reader["absolute"], let absolute = duration(node, at: "session.absolute") {
            configuration.session.absolute = absolute
        }
        if let node = reader["per_user"],
            let count = number(node, at: "session.per_user", in: 1...10_000)
        {
            configuration.session.perUser = count
        }
    }

    /// `headers` of an identity block: field name to claim, null to remove one.
    mutating func headers(_ block: MappingReader) -> [String: String?] {
        let path = block.path(of: "headers")
        guard let node = block["headers"], let entries = entries(node, at: path) else { return [:] }
        var headers: [String: String?] = [:]
        var seen: [String: String] = [:]
        for entry in entries {
            let place = "\(path).\(entry.key)"
            if let problem = fieldNameProblem(entry.key, seen: seen) {
                diagnostics.append(
                    Diagnostic(
                        .error, at: entry.keyPosition, "'\(quoted(place))' \(problem.message)",
                        hint: problem.hint))
                continue
            }
            seen[FieldNames.folded(entry.key)] = entry.key
            if entry.value.isNull {
                headers[entry.key] = .some(nil)
                wrote(place, entry.value)
            } else if let claim = token(entry.value, at: place) {
                headers[entry.key] = claim
            }
        }
        return headers
    }

    private func fieldNameProblem(
        _ name: String, seen: [String: String]
    ) -> (message: String, hint: String)? {
        guard FieldNames.isToken(name) else {
            return ("is no name of a field", "letters, digits and '-'")
        }
        guard !FieldNames.isReserved(name) else {
            return ("is a field that identity must not be written to", "such as 'X-Auth-User'")
        }
        guard let other = seen[FieldNames.folded(name)] else { return nil }
        return ("is the same field as '\(other)' for many servers", "keep one of them")
    }
}
