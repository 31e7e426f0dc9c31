import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import GatehouseNet
import GatehouseTesting
import Testing

/// Routes of the API are under the settings in force, also those that were there before them.
@Suite struct RouteReloadTests {
    @Test func `a reload reaches the routes that the Hub has made`() async throws {
        let upstream = FakeUpstream()
        let server = try LocalServer.start { _ in upstream }
        let fixture = try await ProxyFixture { configuration in
            configuration.routes = [
                RouteSettings(
                    path: "/",
                    upstream: UpstreamSettings(
                        name: "http://127.0.0.1:1",
                        url: Origin(scheme: .http, host: "127.0.0.1", port: 1)))
            ]
        }
        try await fixture.add("/user/alice", to: server.port)
        try await fixture.add("/user/bob", to: server.port)
        let url = "http://127.0.0.1:\(fixture.port)/user/alice/x"
        let body = [UInt8](repeating: 0x61, count: 11)
        #expect(try await fixture.client.send("PUT", url, body: body).status == 200)
        // The end of an exchange is told a moment after its client has the answer.
        let loop = EventLoop(name: "wait")
        var before = try await fixture.table()
        var earlier = [String: JSONValue]()
        while before != earlier {
            earlier = before
            await loop.run { await EventLoop.sleep(.milliseconds(200), on: $0.core) }
            before = try await fixture.table()
        }
        var configuration = fixture.configuration
        configuration.routes[0].maximumBody = 10
        try await fixture.gateway.reload(configuration)
        #expect(try await fixture.client.send("PUT", url, body: body).status == 413)
        #expect(upstream.count() == 1)
        #expect(try await fixture.get("/user/bob").status == 200)
        // Nothing else of them has changed: what the Hub culls by least of all.
        let after = try await fixture.table()
        #expect(after["/user/alice"] == before["/user/alice"])
        #expect(after.keys.sorted() == before.keys.sorted())
        await fixture.stop()
        await server.stop()
    }
}
