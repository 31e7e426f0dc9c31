import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseKit
import GatehouseProxy
import GatehouseTesting
import Testing

/// A gateway before a JupyterHub that knows tokens, with a server for each of its users.
struct HubFixture: Sendable {
    let gateway: TestGateway
    /// The Hub, behind the route `/`.
    let hub = FakeUpstream()
    /// All users' servers.
    let server = FakeUpstream()
    private let serverListener: LocalServer

    /// - Parameter configure: changes the configuration.
    init(
        more: [String] = [], serverPort: UInt16? = nil,
        configure: (inout Configuration) -> Void = { _ in }, log: Log = .none,
        accessSink: @escaping Gateway.AccessSink = { _ in }
    ) async throws {
        let (hub, server) = (hub, server)
        serverListener = try LocalServer.start { _ in server }
        let port = serverPort ?? serverListener.port
        gateway = try await TestGateway(
            settings: GatewaySettings(
                routes: ["{path: /user, upstream: \"http://127.0.0.1:\(port)\"}"], more: more),
            configure: { configuration in
                for index in configuration.routes.indices
                where ["/", "/user"].contains(configuration.routes[index].path) {
                    configuration.routes[index].preset = .jupyterhub
                }
                configure(&configuration)
            }, log: log, accessSink: accessSink
        ) { _ in hub }
        hub.on(HubFixture.api) { exchange in
            await exchange.send(HubFixture.answer(to: exchange.request))
        }
    }

    static let api = "/hub/api/user"

    /// What JupyterHub says of a token.
    static func answer(to request: RequestHead) -> Response {
        let (name, kind, session): (String, String, String)
        switch request.fields.text(.authorization) {
        case "token alices": (name, kind, session) = ("alice", "user", "null")
        case "token services": (name, kind, session) = ("grader", "service", "null")
        case "token labs": (name, kind, session) = ("alice", "user", #""0123""#)
        default:
            return Response(
                403, contentType: "application/json",
                #"{"status": 403, "message": "Missing or invalid credentials."}"#)
        }
        return Response(
            200, contentType: "application/json",
            """
            {"name": "\(name)", "kind": "\(kind)", "token_id": "a1", "session_id": \(session)}
            """)
    }

    var url: String { gateway.publicURL }

    /// A request of a script with a token, over a connection of its own.
    func get(
        _ path: String, token: String, _ fields: [(String, String)] = [], method: String = "GET",
        body: [UInt8]? = nil
    ) async throws -> WireResponse {
        try await gateway.browser().send(
            method, url + path, fields: [("Authorization", "token \(token)")] + fields, body: body)
    }

    /// How often the Hub was asked about a token.
    var asked: Int { hub.count(HubFixture.api) }

    /// What else came to an upstream.
    var forwarded: [String] {
        (hub.requests + server.requests).map(\.path).filter { $0 != HubFixture.api }
    }

    func stop() async {
        await gateway.stop()
        await serverListener.stop()
    }
}
