import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import Glibc

/// `gatehouse serve --config FILE`: the long-running service.
enum ServeCommand {
    /// Runs until a signal ends it.
    /// - Returns: the exit code.
    static func run(_ file: String?, _ environment: [String: String]) async -> Int32 {
        let supervisor = Supervisor()
        let decoded = ConfigurationDecoder.decode(
            file: file, environment: environment, readFile: { try SecretFile.read($0) })
        if !decoded.diagnostics.isEmpty { Gatehouse.say(Diagnostic.report(decoded.diagnostics)) }
        guard let configuration = decoded.configuration else { return 1 }
        let standard = StandardLog(configuration.log)
        let log = standard.log
        for diagnostic in Gateway.warnings(about: configuration) { log.warning(diagnostic.line) }
        if getuid() == 0 {
            log.warning("started as root: nothing here needs it")
        }
        do throws(GatewayError) {
            let gateway = try Gateway(configuration, log: log)
            return try await supervisor.run(gateway, log: log, configuration) { urls in
                for url in urls { StandardLines.say("listening on \(url)\n") }
            } configuration: {
                reread(file, environment, log)
            } reloaded: {
                standard.take($0.log)
            }
        } catch {
            log.error("cannot start: \(error)")
            return 1
        }
    }

    /// The configuration as it is now; nil where it cannot be used, which the log says.
    private static func reread(
        _ file: String?, _ environment: [String: String], _ log: Log
    ) -> Configuration? {
        let decoded = ConfigurationDecoder.decode(
            file: file, environment: environment, readFile: { try SecretFile.read($0) })
        for diagnostic in Diagnostic.sorted(decoded.diagnostics) {
            switch diagnostic.severity {
            case .error: log.error(diagnostic.line)
            case .warning: log.warning(diagnostic.line)
            case .notice: log.notice(diagnostic.line)
            }
        }
        if decoded.configuration == nil {
            log.error("the configuration was not reloaded: the one before stays in force")
        }
        return decoded.configuration
    }
}
