import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// What a scrape says of the token lane.
struct TokenMetricsTests {
    @Test func `requests whose token JupyterHub was asked about are counted by its word`()
        async throws
    {
        let port = LocalPort.unused()
        let lab = try await HubFixture(configure: { configuration in
            configuration.limits.hubTokensPerPeer = 4
            configuration.listeners.append(
                ListenerSettings(address: .tcp(host: "127.0.0.1", port: port), role: .metrics))
        })
        // Twice: what is remembered is no question.
        for token in ["alices", "labs", "junk"] {
            for _ in 0..<2 { _ = try await lab.get("/hub/home", token: token) }
        }
        lab.hub.on(HubFixture.api) { await $0.send(Response(500)) }
        #expect(try await lab.get("/hub/home", token: "services").status == 503)
        var refused = 0
        for number in 0..<8
        where try await lab.get("/hub/home", token: "more-\(number)").status == 429 {
            refused += 1
        }
        // Those that were not refused before they were asked about.
        let lines = try await scrape(port, until: "too_many\"} \(refused)")
        for (verdict, count) in [
            ("good", 1), ("session", 1), ("bad", 1), ("too_many", refused),
            ("unavailable", 9 - refused),
        ] {
            #expect(lines.contains("gatehouse_hub_tokens_total{verdict=\"\(verdict)\"} \(count)"))
        }
        await lab.stop()
    }

    /// The lines of a scrape, once one has this end: loops tell their counts a moment later.
    private func scrape(_ port: UInt16, until end: String) async throws -> [Substring] {
        let deadline = Instant.now() + .seconds(5)
        while true {
            let answer = try await TestClient().send("GET", "http://127.0.0.1:\(port)/metrics")
            let lines = answer.text.split(separator: "\n")
            if lines.contains(where: { $0.hasSuffix(end) }) || Instant.now() > deadline {
                return lines
            }
        }
    }
}
