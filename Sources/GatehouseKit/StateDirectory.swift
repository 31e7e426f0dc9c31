import GatehouseBase
import GatehouseConfiguration
import GatehouseGate

/// What outlives the process: here the gate's keys; the Hub's routes are ``StoredRoutes``'. Sessions
/// end with it.
enum StateDirectory {
    /// The gate's keys: of the environment, of `keys_file`, of `state_dir/keys` (made at the first
    /// start), or random ones where there is nothing to keep them in.
    static func keys(for configuration: Configuration) throws(GatewayError) -> GateKeys {
        let directory = directoryOfKeys(configuration)
        if let directory { try create(directory) }
        if let keys = try keysThere(for: configuration) { return keys }
        guard let directory else { return .random() }
        try makeKeys(at: file(in: directory))
        return try keys(in: directory, configuration)
    }

    private static func create(_ directory: String) throws(GatewayError) {
        do throws(SecretFile.Failure) {
            try SecretFile.createDirectory(directory)
        } catch {
            throw GatewayError(
                "'state_dir' cannot be used: \(error.path): \(error.description)",
                hint: "make it writable, name another, or write 'state_dir: none'")
        }
    }

    /// The keys that are there already, or an error that names them; nil where the first start makes
    /// them. Writes nothing.
    static func keysThere(for configuration: Configuration) throws(GatewayError) -> GateKeys? {
        if let text = configuration.keys {
            return try keys(
                of: text,
                from: Source(
                    "GATEHOUSE_KEYS", setting: nil, hint: "give it the text of a key file"),
                configuration)
        }
        if let file = configuration.keysFile {
            let source = Source(
                "'keys_file' is '\(file)', which", setting: "keys_file",
                hint: "name a file as 'state_dir' has it under 'keys'")
            return try keys(at: file, source, configuration)
        }
        guard let directory = directoryOfKeys(configuration) else { return nil }
        do throws(SecretFile.Failure) {
            _ = try SecretFile.read(file(in: directory))
        } catch  where error.isMissing {
            return nil
        } catch {
            // Said below, with its place.
        }
        return try keys(in: directory, configuration)
    }

    /// Where the keys belong that nothing else holds; nil where none are kept.
    private static func directoryOfKeys(_ configuration: Configuration) -> String? {
        guard configuration.keys == nil, configuration.keysFile == nil,
            case .path(let directory) = configuration.stateDirectory,
            configuration.oidc != nil || configuration.requiresState
        else { return nil }
        return directory
    }

    private static func file(in directory: String) -> String { directory + "/keys" }

    private static func makeKeys(at file: String) throws(GatewayError) {
        var fresh = KeyFile()
        _ = fresh.complete()
        do throws(SecretFile.Failure) {
            try SecretFile.create(file, fresh.serialized())
        } catch {
            // Another process may have made some at this moment: they are whole, and good for both.
            guard SecretFile.standing(at: file) == .nothing else { return }
            throw GatewayError("\(file) cannot be written: \(error.description)")
        }
    }

    /// What holds keys: how it is called, the setting that names it, what to do about it.
    private struct Source {
        /// Stands before "holds no usable keys".
        let name: String
        let setting: String?
        let hint: String

        init(_ name: String, setting: String?, hint: String) {
            self.name = name
            self.setting = setting
            self.hint = hint
        }
    }

    private static func keys(
        in directory: String, _ configuration: Configuration
    ) throws(GatewayError) -> GateKeys {
        let file = file(in: directory)
        let source = Source(
            "'state_dir' has '\(file)', which", setting: "state_dir",
            hint: "restore it, or remove it: a new one signs everybody out")
        return try keys(at: file, source, configuration)
    }

    private static func keys(
        at file: String, _ source: Source, _ configuration: Configuration
    ) throws(GatewayError) -> GateKeys {
        let bytes: [UInt8]
        do throws(SecretFile.Failure) {
            bytes = try SecretFile.read(file)
        } catch {
            throw failure(source, "cannot be read: \(error.description)", configuration)
        }
        return try keys(of: Secret(bytes), from: source, configuration)
    }

    private static func keys(
        of text: Secret, from source: Source, _ configuration: Configuration
    ) throws(GatewayError) -> GateKeys {
        do throws(KeyFile.ParseError) {
            if let keys = GateKeys(try KeyFile(parsing: text)) { return keys }
        } catch {
            throw failure(source, "holds no usable keys: \(error)", configuration)
        }
        throw failure(source, "does not hold every key", configuration)
    }

    private static func failure(
        _ source: Source, _ reason: String, _ configuration: Configuration
    ) -> GatewayError {
        let message = "\(source.name) \(reason)"
        guard let setting = source.setting else { return GatewayError(message, hint: source.hint) }
        return GatewayError(
            NamedFiles.about(setting, .error, message, source.hint, configuration))
    }
}
