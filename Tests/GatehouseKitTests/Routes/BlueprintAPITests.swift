import GatehouseBase
import GatehouseConfiguration
import Testing

@testable import GatehouseKit

/// What a route of the API inherits.
struct BlueprintAPITests {
    private func limit(_ path: String, hostRouting: Bool = false) throws -> Int? {
        let reading = CHPCommandLine.read(
            hostRouting ? ["--host-routing"] : [], environment: [:], version: "0",
            readFile: { _ in [] })
        guard case .run(let start) = reading else { throw GatewayError("\(reading)") }
        var configuration = start.configuration
        configuration.routes = [
            try route("/", 1), try route("/user", 2), try route("/user/alice/deep", 3),
            try route("/user/alice", 4, host: "hub.test"),
        ]
        let object = JSONValue.object(["target": .string("http://h")]).encoded()
        return try Blueprint(configuration).route(at: RouteAddress(path), object: object).route
            .rules.maximumBody
    }

    private func route(_ path: String, _ limit: Int, host: String? = nil) throws -> RouteSettings {
        var route = RouteSettings(
            host: host, path: path,
            upstream: UpstreamSettings(name: "u", url: try Origin(parsing: "http://u")))
        route.maximumBody = limit
        return route
    }

    @Test(arguments: [
        ("/", 1), ("/hub", 1), ("/users", 1), ("/user", 2), ("/user/alice", 2),
        ("/user/alice/deep/er", 3),
    ])
    func `it has the settings of the longest configured route that covers it`(
        path: String, limit: Int
    ) throws {
        #expect(try self.limit(path) == limit)
    }

    @Test func `a configured route of another host covers nothing`() throws {
        #expect(try limit("/hub.test/user/alice", hostRouting: true) == 4)
        #expect(try limit("/other.test/user/alice", hostRouting: true) == 2)
    }
}
