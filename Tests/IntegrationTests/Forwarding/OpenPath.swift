import GatehouseNet
import GatehouseTesting

/// A gateway with the public path `/open` in front of a server that says every byte itself.
extension TestGateway {
    static func open(
        before server: RawServer, settings more: GatewaySettings = GatewaySettings()
    ) async throws -> TestGateway {
        var settings = more
        settings.routes.append("{path: /open, upstream: \"http://127.0.0.1:\(server.port)\"}")
        settings.access.append("{path: /open/**, allow: public}")
        return try await TestGateway(loops: 1, settings: settings) { _ in FakeUpstream() }
    }

    /// A request without cookies, ready to send.
    func request(
        _ method: String = "GET", _ target: String, fields: [(String, String)] = [],
        version: String = "HTTP/1.1", body: String = ""
    ) -> String {
        var head = "\(method) \(target) \(version)\r\nHost: \(authority)\r\n"
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        if !body.isEmpty { head += "Content-Length: \(body.utf8.count)\r\n" }
        return head + "\r\n" + body
    }
}

/// What comes on a connection until its end, and how it ends.
struct Ending {
    private(set) var bytes: [UInt8] = []
    /// Nil where the peer ended in order: with close_notify, and without TLS with FIN.
    private(set) var failure: StreamError?

    /// Reads on until the end.
    init(of connection: RawConnection) async {
        do {
            while let more = try await connection.read() { bytes += more }
        } catch {
            failure = error as? StreamError
        }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether the peer cut the connection, so that nobody can take what came for the whole.
    var isCut: Bool { failure != nil && failure != .timedOut }
}
