import GatehouseBase

/// Addresses and their TLS.
extension CHPCommandLine {
    private static let everywhere = "::"

    mutating func applyListeners() throws(Refusal) {
        try applyPublicAddress()
        try applyAPIAddress()
        try applyMetricsAddress()
        try applyTLS("--ssl", .public, passphrase: "CONFIGPROXY_SSL_KEY_PASSPHRASE")
        try applyTLS("--api-ssl", .api, passphrase: "CONFIGPROXY_API_SSL_KEY_PASSPHRASE")
        try applyRedirect()
        guard let idle = milliseconds("--keep-alive-timeout") else { return }
        for index in configuration.listeners.indices
        where configuration.listeners[index].role == .public {
            configuration.listeners[index].keepAliveIdle = idle
        }
    }

    // MARK: Addresses

    private mutating func applyPublicAddress() throws(Refusal) {
        if let path = words.text("--socket") {
            return try place(socket(path, "--socket"), .public, "--socket")
        }
        let current = index(of: .public).map { configuration.listeners[$0].address }
        guard current == nil || words.has("--ip") || words.has("--port") else { return }
        var (host, port) = parts(of: current, else: (CHPCommandLine.everywhere, 8000))
        if let text = words.value("--ip") {
            if text == "*" {
                say(
                    .warning,
                    "Interpreting ip='*' as all-interfaces. Preferred usage is 0.0.0.0 for all "
                        + "IPv4 or '' for all-interfaces.")
            }
            host = try self.host(text, "--ip")
        }
        if words.has("--port") { port = try self.port("--port", else: 8000) }
        try place(.tcp(host: host, port: port), .public, words.has("--port") ? "--port" : "--ip")
    }

    private mutating func applyAPIAddress() throws(Refusal) {
        if let path = words.text("--api-socket") {
            return try place(socket(path, "--api-socket"), .api, "--api-socket")
        }
        let current = index(of: .api).map { configuration.listeners[$0].address }
        guard current == nil || words.has("--api-ip") || words.has("--api-port") else { return }
        // Only where no other is named: there may be none.
        var isNamed = CHPWords.integer(words.text("--api-port") ?? "") != nil
        if case .tcp = current, !words.has("--api-port") { isNamed = true }
        let standard = isNamed ? 0 : try standardAPIPort()
        var (host, port) = parts(of: current, else: ("localhost", standard))
        if let text = words.value("--api-ip") { host = try self.host(text, "--api-ip") }
        if words.has("--api-port") { port = try self.port("--api-port", else: standard) }
        try place(
            .tcp(host: host, port: port), .api, words.has("--api-port") ? "--api-port" : "--api-ip")
    }

    /// The public port and one; any, where that is any.
    private func standardAPIPort() throws(Refusal) -> UInt16 {
        guard let index = index(of: .public),
            case .tcp(_, let port) = configuration.listeners[index].address
        else { return 8001 }
        guard port < .max else {
            throw .text("there is no port above \(port) for the routes API; use '--api-port <n>'")
        }
        return port == 0 ? 0 : port + 1
    }

    private mutating func applyMetricsAddress() throws(Refusal) {
        if let path = words.text("--metrics-socket") {
            return try place(socket(path, "--metrics-socket"), .metrics, "--metrics-socket")
        }
        let current = index(of: .metrics).map { configuration.listeners[$0].address }
        let isAsked = words.text("--metrics-port") != nil
        guard isAsked || (current != nil && words.has("--metrics-ip")) else { return }
        var (host, port) = parts(of: current, else: (CHPCommandLine.everywhere, 0))
        if let text = words.value("--metrics-ip") { host = try self.host(text, "--metrics-ip") }
        if isAsked { port = try self.port("--metrics-port", else: nil) }
        try place(
            .tcp(host: host, port: port), .metrics, isAsked ? "--metrics-port" : "--metrics-ip")
    }

    /// A port that everybody reaches in clear, and is sent on from; none beside port 80 and
    /// sockets, as with configurable-http-proxy.
    private mutating func applyRedirect() throws(Refusal) {
        guard words.text("--redirect-port") != nil, let index = index(of: .public),
            case .tcp(_, let publicPort) = configuration.listeners[index].address, publicPort != 80
        else { return }
        let signsIn = configuration.oidc != nil
        // With public URLs that of the first goes without saying.
        var target = publicPort == 0 || signsIn ? nil : publicPort
        if words.text("--redirect-to") != nil { target = try port("--redirect-to", else: nil) }
        let current = configuration.listeners.firstIndex { $0.redirect != nil }
        let host = current.flatMap { index -> String? in
            guard case .tcp(let host, _) = configuration.listeners[index].address else {
                return nil
            }
            return host
        }
        let address = ListenerAddress.tcp(
            host: host ?? CHPCommandLine.everywhere, port: try port("--redirect-port", else: nil))
        let place = current ?? configuration.listeners.count
        if current == nil { configuration.listeners.append(ListenerSettings(address: address)) }
        configuration.listeners[place].address = address
        configuration.listeners[place].redirect = HTTPSRedirect(
            status: signsIn ? 307 : 301, port: target)
        configuration.origins["listeners[\(place)].address"] = .flag("--redirect-port")
    }

    func index(of role: ListenerSettings.Role) -> Int? {
        configuration.listeners.firstIndex { $0.role == role && $0.redirect == nil }
    }

    private mutating func place(
        _ address: ListenerAddress, _ role: ListenerSettings.Role, _ flag: String
    ) throws(Refusal) {
        let index = index(of: role) ?? configuration.listeners.count
        if index == configuration.listeners.count {
            configuration.listeners.append(ListenerSettings(address: address, role: role))
        }
        configuration.listeners[index].address = address
        if words.has(flag) { configuration.origins["listeners[\(index)].address"] = .flag(flag) }
    }

    private func parts(
        of address: ListenerAddress?, else standard: (host: String, port: UInt16)
    ) -> (host: String, port: UInt16) {
        guard case .tcp(let host, let port) = address else { return standard }
        return (host, port)
    }

    private func socket(_ path: String, _ flag: String) throws(Refusal) -> ListenerAddress {
        do throws(ListenerAddress.ParseError) {
            return try ListenerAddress(parsing: "unix:\(path)")
        } catch {
            throw .text("option '\(flag)' is '\(path)': \(error.message)")
        }
    }

    private func host(_ text: String, _ flag: String) throws(Refusal) -> String {
        if text.isEmpty || text == "*" { return CHPCommandLine.everywhere }
        let isBare = text.contains(":") && !text.hasPrefix("[")
        guard let address = try? ListenerAddress(parsing: isBare ? "[\(text)]:1" : "\(text):1"),
            case .tcp(let host, port: 1) = address
        else { throw .text("option '\(flag)' is '\(text)': it is neither a name nor an address") }
        return host
    }

    /// - Parameter standard: taken, with a warning, where the text is no number; nil refuses that.
    private mutating func port(
        _ flag: String, else standard: UInt16?
    ) throws(Refusal) -> UInt16 {
        let text = words.text(flag) ?? ""
        guard let number = CHPWords.integer(text) else {
            guard let standard else {
                throw .text("option '\(flag)' is '\(text)': a port is a number up to 65535")
            }
            say(.warning, "'\(text)' of \(flag) is no number: the port is \(standard)")
            return standard
        }
        guard let port = UInt16(exactly: number) else {
            throw .text("option '\(flag)' is '\(text)': a port is a number up to 65535")
        }
        return port
    }

    // MARK: TLS

    /// Flags that speak of TLS do nothing where there is no certificate, as with
    /// configurable-http-proxy.
    private mutating func applyTLS(
        _ prefix: String, _ role: ListenerSettings.Role, passphrase: String
    ) throws(Refusal) {
        guard let index = index(of: role) else { return }
        let key = words.text("\(prefix)-key")
        let certificate = words.text("\(prefix)-cert")
        try checkPair(key, certificate, prefix)
        var settings = configuration.listeners[index].tls
        if let key, let certificate {
            let phrase = environment[passphrase].flatMap { $0.isEmpty ? nil : Secret($0) }
            let pair = ListenerTLSSettings.CertificatePair(
                certificate: certificate, key: key, passphrase: phrase)
            if settings == nil { settings = ListenerTLSSettings(certificates: [pair]) }
            settings?.certificates = [pair]
            for name in ["certificate", "key"] {
                let path = "listeners[\(index)].tls.certificates[0].\(name)"
                let flag = name == "key" ? "\(prefix)-key" : "\(prefix)-cert"
                configuration.origins[path] = .flag(flag)
            }
        }
        guard var tls = settings else { return }
        if let versions = try versions() {
            tls.minimum = versions.lowerBound
            tls.maximum = versions.upperBound
        }
        if let ciphers = words.text("--ssl-ciphers") { tls.ciphers = ciphers }
        if let file = words.text("--ssl-dhparam") { tls.dhparamFile = file }
        if let file = words.text("\(prefix)-ca") { tls.clientCA = file }
        // Node refuses whoever presents no good one, with or without …-reject-unauthorized.
        if words.has("\(prefix)-request-cert") {
            guard tls.clientCA != nil else {
                throw .text(
                    "option '\(prefix)-request-cert' needs '\(prefix)-ca <ca-file>': otherwise "
                        + "nobody vouches for the certificates")
            }
            tls.clientCertificate = .require
        }
        configuration.listeners[index].tls = tls
    }

    func checkPair(
        _ key: String?, _ certificate: String?, _ prefix: String
    ) throws(Refusal) {
        guard (key == nil) != (certificate == nil) else { return }
        let missing = key == nil ? "key" : "cert"
        let other = key == nil ? "cert" : "key"
        throw .text("option '\(prefix)-\(other)' needs '\(prefix)-\(missing)' beside it")
    }

    /// The range that `--ssl-protocol` names; nil for the usual one.
    func versions() throws(Refusal) -> ClosedRange<ListenerTLSSettings.Version>? {
        switch words.text("--ssl-protocol") {
        case nil, "TLS", "SSLv23": return nil
        case "TLSv1_2": return .tls12 ... .tls12
        case "TLSv1_3": return .tls13 ... .tls13
        case let text?:
            throw .text(
                "option '--ssl-protocol' is '\(text)': it is TLSv1_2, TLSv1_3 or TLS (both); what "
                    + "is older is not offered")
        }
    }
}
