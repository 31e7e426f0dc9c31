import FoundationEssentials
import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import GatehouseNet
import GatehouseTesting
import Testing

/// A gateway as JupyterHub starts it, with a metrics listener: nobody signs in, routes come by the
/// API.
struct MetricsFixture: Sendable {
    let gateway: Gateway
    /// As it began.
    let configuration: Configuration
    /// Of all listeners.
    let urls: [String]
    let publicURL: String
    let apiURL: String
    let metricsURL: String
    let client = TestClient()

    init(
        _ words: [String] = [], loops: Int = 2,
        configure: (inout Configuration) -> Void = { _ in }
    ) async throws {
        let reading = CHPCommandLine.read(
            ["--ip", "127.0.0.1"] + words, environment: ["CONFIGPROXY_AUTH_TOKEN": "secret"],
            version: "0", readFile: { _ in throw CocoaError(.fileNoSuchFile) })
        guard case .run(let start) = reading else { throw StreamError.refused }
        var configuration = start.configuration
        configuration.loops = .count(loops)
        configuration.stateDirectory = .none
        let roles: [ListenerSettings.Role] = [.public, .api, .metrics]
        configuration.listeners = roles.map {
            var listener = ListenerSettings(
                address: .tcp(host: "127.0.0.1", port: 0), role: $0)
            if $0 == .api { listener.token = Secret("secret") }
            return listener
        }
        configure(&configuration)
        self.configuration = configuration
        gateway = try Gateway(configuration, log: .none, accessSink: { _ in })
        urls = try await gateway.start()
        (publicURL, apiURL, metricsURL) = (urls[0], urls[1], urls[urls.count - 1])
    }

    /// Asks the routes API.
    func api(
        _ method: String, _ path: String, _ body: String? = nil, token: String = "secret"
    ) async throws -> Int {
        try await client.send(
            method, apiURL + path, fields: [("Authorization", "token \(token)")],
            body: body.map { Array($0.utf8) }
        ).status
    }

    /// Adds a route to a port of this machine.
    func add(_ path: String, port: UInt16) async throws {
        let body = #"{"target":"http://127.0.0.1:\#(port)"}"#
        #expect(try await api("POST", "/api/routes" + path, body) == 201)
    }

    func get(_ path: String) async throws -> Int {
        try await client.send("GET", publicURL + path).status
    }

    /// What a scrape shows: each line but comments, `name{labels}` and its value.
    func scrape() async throws -> [String: Double] {
        let answer = try await client.send("GET", metricsURL + "/metrics")
        #expect(answer.status == 200)
        var samples: [String: Double] = [:]
        for line in answer.text.split(separator: "\n") where !line.hasPrefix("#") {
            let space = try #require(line.lastIndex(of: " "))
            let value = try #require(Double(line[line.index(after: space)...]))
            #expect(samples.updateValue(value, forKey: String(line[..<space])) == nil)
        }
        return samples
    }

    /// Scrapes until these have the values: what ends with a connection comes a moment later.
    /// - Returns: the last of them.
    @discardableResult
    func scrape(
        until wanted: KeyValuePairs<String, Double>,
        location: SourceLocation = #_sourceLocation
    ) async throws -> [String: Double] {
        let deadline = Instant.now() + .seconds(5)
        var samples: [String: Double] = [:]
        repeat {
            samples = try await scrape()
            if wanted.allSatisfy({ samples[$0, default: 0] == $1 }) { return samples }
        } while Instant.now() < deadline
        for (name, value) in wanted {
            #expect(
                samples[name, default: 0] == value, "\(name)", sourceLocation: location)
        }
        return samples
    }
}
