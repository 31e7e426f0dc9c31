import GatehouseBase
import GatehouseConfiguration
import GatehouseNet

/// What is wrong with the files that a configuration names: said of the setting that names them.
enum NamedFiles {
    /// Why TLS cannot be set up, at the place where the file is named.
    static func diagnostic(
        of error: TLSConfigurationError, in configuration: Configuration
    ) -> Diagnostic {
        let named = configuration.namedFiles.first { $0.file == error.file }
        guard let path = named?.path else { return aboutCiphers(error, configuration) }
        let hint: String? =
            if path.hasSuffix(".key") {
                "name the key that the certificate was made for, in PEM"
            } else if path.hasSuffix(".certificate") {
                "name a PEM file of the certificate and its chain"
            } else { nil }
        return about(
            path, .error, "'\(path)' is '\(error.file)': \(error.reason)", hint, configuration)
    }

    /// A list that OpenSSL does not take is no file, and is known by its text.
    private static func aboutCiphers(
        _ error: TLSConfigurationError, _ configuration: Configuration
    ) -> Diagnostic {
        for (index, listener) in configuration.listeners.enumerated() {
            guard let list = listener.tls?.ciphers, error.reason.contains("'\(list)'") else {
                continue
            }
            let path = "listeners[\(index)].tls.ciphers"
            return about(path, .error, "'\(path)': \(error.reason)", nil, configuration)
        }
        return Diagnostic(.error, "\(error.file): \(error.reason)")
    }

    /// Secrets that stand open to everybody on this machine, certificates that nobody takes, and what
    /// is no folder where one belongs.
    static func warnings(about configuration: Configuration) -> [Diagnostic] {
        openSecrets(configuration) + oddCertificates(configuration) + oddFolders(configuration)
    }

    private static func oddFolders(_ configuration: Configuration) -> [Diagnostic] {
        var found: [Diagnostic] = []
        if case .path(let directory) = configuration.stateDirectory,
            SecretFile.standing(at: directory) == .other
        {
            found.append(
                about(
                    "state_dir", .warning, "'state_dir' is '\(directory)', which is no directory",
                    "name one, which need not be there yet", configuration))
        }
        let pages = "forwarding.error_pages.directory"
        if let directory = configuration.forwarding.errorPages.directory,
            SecretFile.standing(at: directory) != .directory
        {
            found.append(
                about(
                    pages, .warning, "'\(pages)' is '\(directory)', which is no directory",
                    "our own pages are shown until it is one", configuration))
        }
        return found
    }

    // MARK: Secrets

    private static func openSecrets(_ configuration: Configuration) -> [Diagnostic] {
        var files = configuration.namedFiles.filter { $0.path.hasSuffix("key") }
        if let file = configuration.oidc?.clientSecretFile,
            case .written = configuration.origin(of: "oidc.client_secret_file")
        {
            files.append(("oidc.client_secret_file", file))
        }
        if let file = configuration.keysFile { files.append(("keys_file", file)) }
        for (index, listener) in configuration.listeners.enumerated() {
            guard let file = listener.tokenFile else { continue }
            files.append(("listeners[\(index)].token_file", file))
        }
        var found = files.compactMap { path, file in
            openFile("'\(path)' is '\(file)'", file, at: path, configuration)
        }
        let secret = "oidc.client_secret"
        if let place = configuration.origin(of: secret).position {
            found += [
                openFile(
                    "'\(secret)' stands in '\(place.file)'", place.file, at: secret, configuration)
            ].compactMap(\.self)
        }
        if case .path(let directory) = configuration.stateDirectory {
            found += openState(directory, configuration)
        }
        return found
    }

    /// - Parameter what: the file, and what it is, to stand before "which".
    private static func openFile(
        _ what: String, _ file: String, at path: String, _ configuration: Configuration
    ) -> Diagnostic? {
        let open = SecretFile.Access.allCases.filter { SecretFile.isOpenToAll(file, to: $0) }
        guard !open.isEmpty else { return nil }
        let deeds = open.map(\.rawValue).joined(separator: " and ")
        return about(
            path, .warning, "\(what), which everybody on this machine can \(deeds)",
            "'chmod 600 \(file)', and let it belong to the user that the gateway runs as",
            configuration)
    }

    /// Whoever may write in the folder can put other keys in place of ours.
    private static func openState(
        _ directory: String, _ configuration: Configuration
    ) -> [Diagnostic] {
        var found: [Diagnostic] = []
        if SecretFile.isOpenToAll(directory, to: .change) {
            found.append(
                about(
                    "state_dir", .warning,
                    "'state_dir' is '\(directory)', where everybody on this machine can put files",
                    "'chmod 700 \(directory)', and let it belong to the user that the gateway "
                        + "runs as", configuration))
        }
        let keys = directory + "/keys"
        if let open = openFile("'state_dir' has '\(keys)'", keys, at: "state_dir", configuration) {
            found.append(open)
        }
        return found
    }

    // MARK: Certificates

    private static func oddCertificates(_ configuration: Configuration) -> [Diagnostic] {
        let now = Timestamp.now()
        return configuration.namedFiles.compactMap { path, file in
            guard path.hasSuffix(".certificate") || path == "--client-ssl-cert" else { return nil }
            let hosts = browsersHosts(path, configuration)
            guard let facts = CertificateFacts(of: file, hosts: hosts),
                let (fault, hint) = fault(of: facts, hosts, now)
            else { return nil }
            return about(
                path, .warning, "'\(path)' is '\(file)', which \(fault)", hint, configuration)
        }
    }

    /// The hosts for which browsers ask a listener; none where a front stands before it, or where a
    /// certificate is of no listener for them.
    private static func browsersHosts(_ path: String, _ configuration: Configuration) -> [String] {
        let place = configuration.listeners.indices.first { path.hasPrefix("listeners[\($0)].") }
        guard let place else { return [] }
        let listener = configuration.listeners[place]
        guard listener.role == .public, listener.front.profile == .none else { return [] }
        return configuration.publicURLs.filter { $0.scheme == .https }.map(\.host)
    }

    private static func fault(
        of facts: CertificateFacts, _ hosts: [String], _ now: Timestamp
    ) -> (fault: String, hint: String)? {
        if facts.end < now {
            return ("ended on \(day(facts.end)): nobody takes it", "renew it")
        }
        if now < facts.start {
            return ("begins on \(day(facts.start)): nobody takes it before", "look at the clock")
        }
        if !hosts.isEmpty, !facts.isForOne {
            let names = facts.names.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
            let kind = names.isEmpty ? "has no names" : "is for \(names)"
            return (
                "\(kind), and for no host of 'public_urls': browsers do not take it",
                "name a certificate for '\(hosts[0])'"
            )
        }
        // One that is renewed in time has more than a third of its life left.
        let left = facts.end - now
        if left < .seconds(14 * 86400), left < (facts.end - facts.start) / 3 {
            return ("ends on \(day(facts.end))", "renew it before")
        }
        return nil
    }

    private static func day(_ time: Timestamp) -> String { CalendarTime(time).httpDate }

    static func about(
        _ path: String, _ severity: Diagnostic.Severity, _ message: String, _ hint: String?,
        _ configuration: Configuration
    ) -> Diagnostic {
        let origin = configuration.origin(of: path)
        let source: String? = if case .flag = origin { origin.description } else { nil }
        return Diagnostic(severity, at: origin.position, source: source, message, hint: hint)
    }
}
