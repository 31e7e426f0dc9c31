import GatehouseBase
import GatehouseConfiguration
import GatehouseKit

/// `gatehouse check`: the effective settings on standard output, what is wrong on standard
/// error. Reads every named file and compares certificates with keys; touches no network.
enum CheckCommand {
    /// - Parameters:
    ///   - file: `-` for standard input; nil for the text in the environment.
    ///   - environment: of the process.
    /// - Returns: the exit code: 0, or 1 where something is wrong.
    static func run(_ file: String?, _ environment: [String: String]) -> Int32 {
        let decoded = ConfigurationDecoder.decode(file: file, environment: environment) { path in
            path == "-" ? try SecretFile.readStandardInput() : try SecretFile.read(path)
        }
        Gatehouse.say(Diagnostic.report(decoded.diagnostics))
        guard let configuration = decoded.configuration else { return 1 }
        Gatehouse.say(Diagnostic.report(Gateway.warnings(about: configuration)))
        print(EffectiveSettings.yaml(of: configuration), terminator: "")
        do throws(GatewayError) {
            try Gateway.check(configuration)
        } catch {
            Gatehouse.say(
                error.diagnostic.map { Diagnostic.report([$0]) }
                    ?? "\(file ?? "gatehouse check"): error: \(error)\n")
            return 1
        }
        return 0
    }
}
