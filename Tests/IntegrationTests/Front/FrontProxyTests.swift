import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseTesting
import Testing

/// `gatehouse proxy` without sign-in, behind a front.
struct FrontProxyTests {
    private static let fields = [
        ("X-Forwarded-For", "6.6.6.6, 203.0.113.7"), ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Port", "443"), ("X-Scheme", "https"), ("X-Real-IP", "203.0.113.7"),
        ("X-Forwarded-Host", "hub.example"),
    ]

    private func seen(
        _ mode: ForwardingSettings.ForwardedFields, trusted: [String]
    ) async throws -> ReceivedRequest {
        let upstream = FakeUpstream()
        let server = try LocalServer.start { _ in upstream }
        let front = try FrontFixture.front(.nginx, trusted)
        let proxy = try await ProxyFixture { configuration in
            configuration.listeners[0].front = front
            configuration.forwarding.forwardedFields = mode
        }
        try await proxy.add("/", to: server.port)
        let answer = try await proxy.client.send(
            "GET", "http://127.0.0.1:\(proxy.port)/x", fields: Self.fields)
        #expect(answer.status == 200)
        await proxy.stop()
        await server.stop()
        return try #require(upstream.lastRequest)
    }

    @Test(arguments: [ForwardingSettings.ForwardedFields.replace, .append])
    func `behind a trusted front each field has one value, the browser's`(
        mode: ForwardingSettings.ForwardedFields
    ) async throws {
        let request = try await seen(mode, trusted: ["127.0.0.1/32"])
        for (name, value) in [
            ("X-Forwarded-For", "203.0.113.7"), ("X-Real-IP", "203.0.113.7"),
            ("X-Forwarded-Proto", "https"), ("X-Scheme", "https"), ("X-Forwarded-Port", "443"),
            ("X-Forwarded-Host", "hub.example"), ("Host", "hub.example"),
        ] { #expect(request.all(name) == [value], "\(name)") }
    }

    @Test func `from another peer they are appended to as ever`() async throws {
        let request = try await seen(.append, trusted: ["10.0.0.0/8"])
        #expect(request.all("x-forwarded-for") == ["6.6.6.6, 203.0.113.7,127.0.0.1"])
        #expect(request.all("x-forwarded-proto") == ["https,http"])
        #expect(request.all("x-real-ip") == ["203.0.113.7"])
        #expect(request.all("host").first?.hasPrefix("127.0.0.1:") == true)
    }
}
