import GatehouseBase

/// `listeners`.
extension ConfigurationDecoder {
    mutating func readListeners(_ root: MappingReader) {
        guard let node = root["listeners"] else { return }
        let items = list(node, at: "listeners")
        if case .sequence = node.content, items.isEmpty {
            fail(node, "'listeners' is empty: nothing would be served", hint: "leave it out")
        }
        configuration.listeners = kept(items, of: "listeners") { decoder, item, path in
            decoder.listener(item, at: path)
        }
    }

    /// Reads the items of a list. Paths of origins count those that could be read, as the list
    /// that comes out does.
    mutating func kept<Item>(
        _ nodes: [YAMLNode], of name: String,
        read: (inout ConfigurationDecoder, YAMLNode, String) -> Item?
    ) -> [Item] {
        var items: [Item] = []
        for (index, node) in nodes.enumerated() {
            let path = "\(name)[\(index)]"
            let before = configuration.origins
            let item = read(&self, node, path)
            guard let item else {
                configuration.origins = before
                continue
            }
            if items.count < index { renameOrigins(from: path, to: "\(name)[\(items.count)]") }
            items.append(item)
        }
        // One that could not be read is no empty list.
        if items.isEmpty, let first = nodes.first { wrote("\(name)[0]", first) }
        return items
    }

    private mutating func renameOrigins(from old: String, to new: String) {
        let moved = configuration.origins.filter { $0.key.hasPrefix(old) }
        for (path, origin) in moved {
            configuration.origins[path] = nil
            configuration.origins[new + path.dropFirst(old.count)] = origin
        }
    }

    private mutating func listener(_ node: YAMLNode, at path: String) -> ListenerSettings? {
        guard let reader = mapping(node, at: path, Schema.listener) else { return nil }
        let role =
            reader["role"].map {
                word(
                    $0, at: reader.path(of: "role"), as: ListenerSettings.Role.self,
                    waiting: Schema.waitingRoles)
            } ?? .public
        let tls = reader["tls"].map { listenerTLS($0, at: reader.path(of: "tls")) }
        let front = reader["front"].map { self.front($0, at: reader.path(of: "front")) }
        let redirects = reader["redirect_to_https"].flatMap {
            flag($0, at: reader.path(of: "redirect_to_https"))
        }
        let token = token(reader)
        guard let address = address(reader), let role else { return nil }
        var listener = ListenerSettings(address: address, role: role, tls: tls ?? nil)
        listener.front = front ?? FrontSettings()
        if redirects == true { listener.redirect = HTTPSRedirect() }
        listener.token = token?.secret
        listener.tokenFile = token?.file
        return listener
    }

    private mutating func token(_ reader: MappingReader) -> (secret: Secret, file: String)? {
        let path = reader.path(of: "token_file")
        guard let node = reader["token_file"], let file = self.path(node, at: path) else {
            return nil
        }
        do throws(SecretText.ReadError) {
            return (try SecretText.read(file, with: readFile), file)
        } catch {
            fail(
                node, "'\(path)' is '\(quoted(file))', which \(error.reason)",
                hint: error.isEmpty ? "write the token into it" : nil)
            return nil
        }
    }

    private mutating func address(_ reader: MappingReader) -> ListenerAddress? {
        let path = reader.path(of: "address")
        guard let node = reader["address"] else {
            missing(path, reader, hint: "such as 'address: \"[::]:8443\"'")
            return nil
        }
        guard let text = text(node, at: path) else { return nil }
        if text.hasPrefix("activated:") {
            fail(node, "'\(path)' is '\(quoted(text))': sockets of systemd are not built yet")
            return nil
        }
        do throws(ListenerAddress.ParseError) {
            let address = try ListenerAddress(parsing: text)
            guard case .unix(let file) = address, !file.hasPrefix("/") else { return address }
            // A socket is state: unlike other files it lives beside the keys.
            guard case .path(let directory) = configuration.stateDirectory else {
                fail(
                    node, "'\(path)' is relative to 'state_dir', and there is none",
                    hint: "write the whole path")
                return nil
            }
            return try ListenerAddress(parsing: "unix:\(directory)/\(file)")
        } catch {
            fail(node, "'\(path)' is '\(quoted(text))': \(error.message)", hint: error.hint)
            return nil
        }
    }

    private mutating func listenerTLS(_ node: YAMLNode, at path: String) -> ListenerTLSSettings? {
        guard let reader = mapping(node, at: path, Schema.listenerTLS) else { return nil }
        typealias Version = ListenerTLSSettings.Version
        let minimum =
            reader["minimum"].map {
                word($0, at: reader.path(of: "minimum"), as: Version.self)
            } ?? .tls12
        let maximum =
            reader["maximum"].map {
                word($0, at: reader.path(of: "maximum"), as: Version.self)
            } ?? .tls13
        let certificatesPath = reader.path(of: "certificates")
        guard let certificates = reader["certificates"] else {
            missing(
                certificatesPath, reader,
                hint: "such as 'certificates: [{certificate: hub.pem, key: hub.key}]'")
            return nil
        }
        let items = list(certificates, at: certificatesPath)
        if case .sequence = certificates.content, items.isEmpty {
            fail(certificates, "'\(certificatesPath)' is empty", hint: "TLS needs a certificate")
        }
        let pairs = kept(items, of: certificatesPath) { decoder, item, path in
            decoder.certificate(item, at: path)
        }
        let ciphers = reader["ciphers"].flatMap { token($0, at: reader.path(of: "ciphers")) }
        let files = ["dhparam_file", "client_ca"].map { key in
            reader[key].flatMap { self.path($0, at: reader.path(of: key)) }
        }
        let certificate = reader["client_certificate"].flatMap {
            word(
                $0, at: reader.path(of: "client_certificate"),
                as: ListenerTLSSettings.ClientCertificate.self)
        }
        guard let minimum, let maximum, !pairs.isEmpty else { return nil }
        var tls = ListenerTLSSettings(certificates: pairs, minimum: minimum, maximum: maximum)
        tls.ciphers = ciphers
        tls.dhparamFile = files[0]
        tls.clientCA = files[1]
        tls.clientCertificate = certificate ?? .none
        return tls
    }

    private mutating func certificate(
        _ node: YAMLNode, at path: String
    ) -> ListenerTLSSettings.CertificatePair? {
        guard let reader = mapping(node, at: path, Schema.certificate) else { return nil }
        var files: [String?] = []
        for key in ["certificate", "key"] {
            guard let node = reader[key] else {
                missing(
                    reader.path(of: key), reader, hint: "a certificate and a key belong together")
                files.append(nil)
                continue
            }
            files.append(self.path(node, at: reader.path(of: key)))
        }
        guard let certificate = files[0], let key = files[1] else { return nil }
        return ListenerTLSSettings.CertificatePair(certificate: certificate, key: key)
    }

    /// Says that a setting that has no default is not there.
    mutating func missing(_ path: String, _ reader: MappingReader, hint: String?) {
        diagnostics.append(
            Diagnostic(.error, at: reader.position, "'\(path)' is missing", hint: hint))
    }
}
