import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import GatehouseNet
import GatehouseTesting
import Testing

/// A gateway as JupyterHub starts it, in this process, and a client that holds the API's token.
final class ProxyFixture: Sendable {
    static let token = "proxy-token"

    let gateway: Gateway
    let port: UInt16
    let apiPort: UInt16
    let configuration: Configuration
    let client = TestClient()

    /// - Parameters:
    ///   - words: added to those that JupyterHub always gives.
    ///   - earlier: whose ports it takes; nil: others.
    ///   - environment: added to the token.
    init(
        _ words: [String] = [], stateDirectory: String = "none", after earlier: ProxyFixture? = nil,
        environment: [String: String] = [:], log: Log = .none,
        configure: (inout Configuration) -> Void = { _ in }
    ) async throws {
        port = earlier?.port ?? LocalPort.unused()
        apiPort = earlier?.apiPort ?? LocalPort.unused()
        let reading = CHPCommandLine.read(
            [
                "--ip", "127.0.0.1", "--port", "\(port)", "--api-ip", "127.0.0.1",
                "--api-port", "\(apiPort)", "--state-dir", stateDirectory,
            ] + words,
            environment: environment.merging(
                ["CONFIGPROXY_AUTH_TOKEN": ProxyFixture.token]
            ) { _, token in token },
            version: "0", readFile: { _ in [] })
        guard case .run(let start) = reading else { throw WireError.malformed("\(reading)") }
        var configuration = start.configuration
        configuration.loops = .count(2)
        configure(&configuration)
        self.configuration = configuration
        gateway = try Gateway(configuration, log: log)
        _ = try await gateway.start()
    }

    /// Asks the API.
    func api(
        _ method: String, _ path: String, _ body: String? = nil,
        token: String? = "token proxy-token"
    ) async throws -> WireResponse {
        try await client.send(
            method, "http://127.0.0.1:\(apiPort)/api/routes\(path)",
            fields: token.map { [("Authorization", $0)] } ?? [], body: body.map { Array($0.utf8) })
    }

    /// The whole table.
    func table() async throws -> [String: JSONValue] {
        let answer = try await api("GET", "")
        return try #require(
            try JSONValue.parse(Array(answer.text.utf8), maximumSize: 1 << 20).object)
    }

    /// Adds a route.
    func add(_ path: String, to port: UInt16) async throws {
        let answer = try await api(
            "POST", path, #"{"target":"http://127.0.0.1:\#(port)","jupyterhub":true}"#)
        #expect(answer.status == 201)
    }

    /// Asks the public listener.
    func get(_ target: String) async throws -> WireResponse {
        try await client.send("GET", "http://127.0.0.1:\(port)\(target)")
    }

    func stop() async { await gateway.stop() }
}
