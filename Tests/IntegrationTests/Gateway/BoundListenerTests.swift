import FoundationEssentials
import GatehouseConfiguration
import GatehouseKit
import GatehouseTesting
import Testing

struct BoundListenerTests {
    @Test func `a start that fails takes its sockets away again`() async throws {
        let server = try LocalServer.start { _ in FakeUpstream() }
        let file = "/tmp/gatehouse-test-\(server.port).sock"
        await #expect(throws: GatewayError.self) {
            _ = try await MetricsFixture { configuration in
                configuration.listeners[0].address = .unix(path: file)
                configuration.listeners[1].address = .tcp(host: "127.0.0.1", port: server.port)
            }
        }
        #expect(!FileManager.default.fileExists(atPath: file))
        await server.stop()
    }
}
