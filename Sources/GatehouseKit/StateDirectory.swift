import GatehouseBase
import GatehouseConfiguration
import GatehouseGate

/// What outlives the process: here the gate's keys; the Hub's routes are ``StoredRoutes``'. Sessions
/// end with it.
enum StateDirectory {
    /// The gate's keys: of the environment, of `keys_file`, of `state_dir/keys` (made at the first
    /// start), or random ones where there is nothing to keep them in.
    static func keys(for configuration: Configuration) throws(GatewayError) -> GateKeys {
        if let text = configuration.keys { return try keys(in: text, of: "GATEHOUSE_KEYS") }
        if let file = configuration.keysFile { return try keys(at: file) }
        guard case .path(let directory) = configuration.stateDirectory,
            configuration.oidc != nil || configuration.requiresState
        else { return .random() }
        do throws(SecretFile.Failure) {
            try SecretFile.createDirectory(directory)
        } catch {
            throw GatewayError(
                "'state_dir' cannot be used: \(error.path): \(error.description)",
                hint: "make it writable, name another, or write 'state_dir: none'")
        }
        let file = directory + "/keys"
        do throws(SecretFile.Failure) {
            _ = try SecretFile.read(file)
        } catch {
            guard error.isMissing else { throw GatewayError("\(file): \(error.description)") }
            try makeKeys(at: file)
        }
        return try keys(at: file)
    }

    private static func makeKeys(at file: String) throws(GatewayError) {
        var fresh = KeyFile()
        _ = fresh.complete()
        do throws(SecretFile.Failure) {
            try SecretFile.create(file, fresh.serialized())
        } catch {
            throw GatewayError("\(file) cannot be written: \(error.description)")
        }
    }

    private static func keys(at file: String) throws(GatewayError) -> GateKeys {
        let bytes: [UInt8]
        do throws(SecretFile.Failure) {
            bytes = try SecretFile.read(file)
        } catch {
            throw GatewayError("\(file) cannot be read: \(error.description)")
        }
        return try keys(in: Secret(bytes), of: file)
    }

    private static func keys(in text: Secret, of name: String) throws(GatewayError) -> GateKeys {
        do throws(KeyFile.ParseError) {
            guard let keys = GateKeys(try KeyFile(parsing: text)) else {
                throw KeyFile.ParseError.malformed(line: 0)
            }
            return keys
        } catch {
            throw GatewayError(
                "\(name) holds no usable keys: \(error)",
                hint: "restore it, or remove it: a new one signs everybody out")
        }
    }
}
