import GatehouseBase
import Testing

@testable import GatehouseGate

/// Junk tokens from everywhere.
@Suite struct TokenFloodTests: HubSuite {
    let hub: FakeHub
    let world: World

    init() throws {
        hub = FakeHub()
        world = try World(hub: hub)
    }

    // SECURITY-CASES G08.
    @Test func `junk from an IPv6 network of 64 bits is cut as one peer's`() async throws {
        var statuses: [Int: Int] = [:]
        for number in 0..<60 {
            let peer = "2001:db8::\(String(number, radix: 16))"
            statuses[await send("junk-\(number)", peer: peer).status, default: 0] += 1
        }
        #expect(statuses == [401: 20, 429: 40])
        #expect(hub.asked.count == 20)
        #expect(await send("alices", peer: "2001:db8:0:1::1").passage != nil)
    }

    // SECURITY-CASES G08.
    @Test func `junk from thousands of networks shuts out nobody`() async throws {
        for number in 0..<5000 {
            let peer = "2001:db8:\(String(number, radix: 16))::1"
            expectRefused(await send("junk-\(number)", peer: peer))
        }
        #expect(await send("alices", peer: "198.51.100.7").passage != nil)
        #expect(await send("bobs", peer: "2001:db8:ffff::1").passage != nil)
    }
}
