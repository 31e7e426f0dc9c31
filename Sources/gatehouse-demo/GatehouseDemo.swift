import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import GatehouseNet
import GatehouseTesting
import Glibc

/// The demonstration: gateway, application and development provider in one process. The
/// application can be a JupyterHub in place of ours, the provider a Keycloak; scripts/demo-with
/// starts those.
@main
enum GatehouseDemo {
    static func main() async {
        guard let command = DemoCommand(Array(CommandLine.arguments.dropFirst())) else {
            say(DemoCommand.usage)
            exit(64)
        }
        let status = await run(command)
        StandardLines.finish()
        exit(status)
    }

    /// Runs until a signal ends it.
    /// - Returns: the exit code.
    private static func run(_ command: DemoCommand) async -> Int32 {
        let supervisor = Supervisor()
        guard !LocalPort.isTaken(command.port) else {
            say("port \(command.port) is taken: choose another one, PORT=9443 make run\n")
            return 1
        }
        do {
            let (application, upstream) = try startApplication(command)
            let (provider, setting) = try startProvider(command)
            let demo = DemoConfiguration(
                port: command.port, certificates: command.certificates, upstream: upstream,
                provider: setting)
            guard let configuration = decode(demo) else { return 1 }
            let log = StandardLog(configuration.log).log
            let gateway = try Gateway(configuration, log: log)
            let code = try await supervisor.run(gateway, log: log, configuration) { _ in
                welcome(demo, hasProvider: provider != nil)
            } configuration: {
                decode(demo)
            }
            await application?.stop()
            await provider?.stop()
            return code
        } catch {
            say("cannot start: \(error)\n")
            return 1
        }
    }

    /// Says what to open, as whom, and what to try. With a JupyterHub, whoever starts that does,
    /// once it is there.
    private static func welcome(_ demo: DemoConfiguration, hasProvider: Bool) {
        guard case .application = demo.upstream else { return }
        say("open \(demo.publicURL)/\n")
        if hasProvider {
            for user in FakeUser.demonstration {
                say("  user \(user.username), password \(user.password)\n")
            }
        }
        say("  open a second tab, watch the live connections, sign out, watch them die\n")
        say("  the browser warns about the certificate: certs/README.md; Ctrl-C ends this\n")
    }

    /// Starts the demonstration's own application, unless a JupyterHub stands in its place.
    private static func startApplication(
        _ command: DemoCommand
    ) throws -> (LocalServer?, DemoConfiguration.Upstream) {
        if let port = command.jupyterHubPort, let apiPort = command.apiPort,
            let file = command.apiTokenFile
        {
            let hub = DemoConfiguration.JupyterHub(
                port: port, apiPort: apiPort, apiTokenFile: file)
            return (nil, .jupyterHub(hub))
        }
        let application = try LocalServer.start { _ in DemoApplication() }
        return (application, .application(port: application.port))
    }

    /// Starts the development provider, unless people sign in elsewhere.
    private static func startProvider(
        _ command: DemoCommand
    ) throws -> (LocalServer?, DemoConfiguration.Provider) {
        if let issuer = command.issuer, let id = command.clientID, let file = command.secretFile {
            let external = DemoConfiguration.Provider.external(
                issuer: issuer, clientID: id, secretFile: file, caFile: command.caFile)
            return (nil, external)
        }
        var random = SystemRandomNumberGenerator()
        let secret = (0..<4).map { _ in String(random.next() as UInt64, radix: 36) }.joined()
        let port = try LocalPort()
        let setting = DemoConfiguration.Provider.development(
            port: port.number, clientSecret: secret)
        let demo = DemoConfiguration(
            port: command.port, certificates: command.certificates,
            upstream: .application(port: 0), provider: setting)
        var clients = [
            FakeClient.gateway(
                DemoConfiguration.clientID, secret: secret, origins: [demo.publicURL])
        ]
        if let file = command.jupyterHubSecretFile {
            let secret = String(decoding: try SecretFile.read(file), as: UTF8.self)
            clients.append(
                FakeClient.jupyterHub(
                    DemoConfiguration.jupyterHubClientID, secret: secret,
                    origin: demo.publicURL))
        }
        let provider = FakeProvider(
            FakeProvider.Options(
                issuer: demo.issuer,
                backChannelBase: "http://127.0.0.1:\(port.number)/provider", clients: clients),
            post: LogoutPoster(tls: try ClientTLS(caFile: command.certificates + "/ca.pem")).post)
        return (try LocalServer.start(port) { _ in provider }, setting)
    }

    private static func decode(_ demo: DemoConfiguration) -> Configuration? {
        let decoded = ConfigurationDecoder.decode(
            text: demo.yaml, name: "demonstration", environment: [:],
            readFile: { try SecretFile.read($0) })
        if !decoded.diagnostics.isEmpty { say(Diagnostic.report(decoded.diagnostics)) }
        return decoded.configuration
    }

    /// Writes to standard error.
    private static func say(_ text: String) {
        StandardStream.write(Array(text.utf8), to: STDERR_FILENO)
    }
}
