import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseTesting
import Synchronization
import Testing

/// A gateway behind a front that the test plays: it says every field itself.
struct FrontFixture {
    let lab: SignInFixture
    private let lines = Lines()
    private let path: String?

    /// - Parameters:
    ///   - trusted: networks; the test's connections come from 127.0.0.1.
    ///   - path: of a UNIX socket in place of the port; its peers are trusted.
    ///   - usesTLS: whether the listener keeps its TLS.
    init(
        _ profile: FrontSettings.Profile, trusted: [String] = ["127.0.0.1/32"],
        path: String? = nil, usesTLS: Bool = false,
        configure: (inout Configuration) -> Void = { _ in }
    ) async throws {
        self.path = path
        let lines = lines
        var settings = try Self.front(profile, trusted)
        settings.trustsUnixSocket = path != nil
        lab = try await SignInFixture(
            configure: { configuration in
                configuration.listeners[0].front = settings
                if let path { configuration.listeners[0].address = .unix(path: path) }
                if !usesTLS { configuration.listeners[0].tls = nil }
                configure(&configuration)
            },
            log: Log(label: "test", level: .info) { event in
                let text = event.fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
                lines.append("\(event.message) \(text)")
            },
            accessSink: { line in
                lines.append(String(decoding: line, as: UTF8.self))
            })
    }

    /// What a listener says of its front.
    static func front(_ profile: FrontSettings.Profile, _ trusted: [String]) throws -> FrontSettings
    {
        var front = FrontSettings()
        front.profile = profile
        front.trusted = try trusted.map { try Network(parsing: $0) }
        return front
    }

    var upstream: FakeUpstream { lab.upstream }
    var url: String { lab.url }
    var authority: String { lab.gateway.authority }
    /// Both logs so far; the access log is whole when the gateway has stopped.
    var log: [String] { lines.all }

    /// A browser whose requests come through the front, with these fields of it.
    func browser(_ fields: [(String, String)]) -> TestClient { TestClient(front: fields) }

    /// A connection of the front's.
    func connect(on loop: isolated EventLoop) async throws -> RawConnection {
        guard let path else {
            return try await RawConnection.connect(port: lab.gateway.port, on: loop)
        }
        guard let address = Address(path: path) else { throw WireError.malformed(path) }
        return try await RawConnection.connect(to: address, on: loop)
    }

    /// The answers to these requests on one connection, each with the public Host unless it has
    /// another; the last may end it.
    func send(
        _ heads: [[(String, String)]], target: String = "/x", host: String? = nil,
        version: String = "HTTP/1.1"
    ) async throws -> [WireResponse] {
        let texts = heads.map { fields in
            fields.reduce("GET \(target) \(version)\r\nHost: \(host ?? authority)\r\n") {
                $0 + "\($1.0): \($1.1)\r\n"
            } + "\r\n"
        }
        return try await EventLoop(name: "front").attempt { loop in
            let connection = try await connect(on: loop)
            var answers: [WireResponse] = []
            for text in texts {
                try await connection.send(text)
                answers.append(try await connection.response())
            }
            return answers
        }
    }

    /// The answer to one request.
    func get(
        _ fields: [(String, String)], target: String = "/x", host: String? = nil
    ) async throws -> WireResponse {
        try #require(try await send([fields], target: target, host: host).first)
    }

    func stop() async { await lab.stop() }

    private final class Lines: Sendable {
        private let lines = Locked<[String]>([])

        var all: [String] { lines.withLock { $0 } }

        func append(_ line: String) { lines.withLock { $0.append(line) } }
    }
}
