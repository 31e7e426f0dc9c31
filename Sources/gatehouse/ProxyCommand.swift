import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import Glibc

/// `gatehouse proxy …`, or this program under the name of configurable-http-proxy: what JupyterHub
/// starts.
enum ProxyCommand {
    /// Runs until a signal ends it.
    ///
    /// - Parameters:
    ///   - words: of the command line, without the program's name.
    ///   - called: how the help names the program.
    ///   - parent: who has started this process.
    /// - Returns: the exit code.
    static func run(
        _ words: [String], called: String, _ environment: [String: String],
        _ parent: pid_t
    ) async -> Int32 {
        let reading = CHPCommandLine.read(
            words, environment: environment, version: Gatehouse.version, called: called,
            readFile: { try SecretFile.read($0) })
        switch reading {
        case .print(let text):
            print(text, terminator: "")
            return 0
        case .failure(let text):
            Gatehouse.say(text)
            return CHPCommandLine.failureExit
        case .refused(let text, let settings):
            StandardLog(settings).log.error(text)
            return CHPCommandLine.failureExit
        case .run(let start):
            return await run(start, parent)
        }
    }

    private static func run(_ start: CHPStart, _ parent: pid_t) async -> Int32 {
        let supervisor = Supervisor(parent: parent)
        let log = StandardLog(start.configuration.log).log
        for line in start.lines { log.write(line.level, line.text) }
        for diagnostic in Gateway.warnings(about: start.configuration) {
            log.warning(diagnostic.line)
        }
        do throws(GatewayError) {
            let gateway = try Gateway(start.configuration, log: log)
            return try await supervisor.run(gateway, log: log, start.configuration) { nil }
        } catch {
            log.error("\(error)")
            return CHPCommandLine.failureExit
        }
    }
}
