import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// JupyterHub's servers take a token from the body of whatever says `Sec-Fetch-Mode: websocket`.
@Suite struct FeignedWebSocketTests: HubSuite {
    let hub: FakeHub
    let world: World

    init() throws {
        hub = FakeHub()
        world = try World(hub: hub)
    }

    private static let upgrade = [
        ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]

    static let feigned: [[(String, String)]] = [
        [("Sec-Fetch-Mode", "websocket")], [("sec-fetch-mode", "WebSocket")],
        [("Sec_Fetch_Mode", "websocket")], [("Sec-Fetch.Mode", "websocket")],
        [("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Mode", "websocket")],
        [("Sec-Fetch-Mode", "cors, websocket")], [("Sec-Fetch-Mode", "\u{a0}websocket")],
        [("Sec-Fetch-Mode", "websocket"), ("Upgrade", "h2c")],
        [("Sec-Fetch-Mode", "websocket"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")],
    ]

    // SECURITY-CASES G06, G08.
    @Test(arguments: FeignedWebSocketTests.feigned)
    func `what says that it opens a WebSocket and opens none is no way in for a token`(
        fields: [(String, String)]
    ) async throws {
        for method in ["GET", "POST", "PUT"] {
            let form = [("Content-Type", "application/x-www-form-urlencoded")]
            expectRefused(
                await send("alices", "/user/alice/x", method: method, fields + form), 401,
                "login_required")
        }
        #expect(hub.asked.isEmpty)
        let mode = [("Sec-Fetch-Mode", "websocket")]
        #expect(await send("alices", FeignedWebSocketTests.upgrade + mode).passage != nil)
        #expect(await send("alices", method: "PUT", [("Sec-Fetch-Mode", "cors")]).passage != nil)
    }

    // SECURITY-CASES G06.
    @Test(arguments: FeignedWebSocketTests.feigned)
    func `with a session it is refused as well`(fields: [(String, String)]) async throws {
        var browser = Browser(world)
        try await browser.signIn(at: World.hub + "/", as: World.alice)
        let origin = [("Origin", World.hub)]
        for method in ["GET", "POST", "PUT"] {
            expectRefused(
                try await browser.send(
                    method, World.hub + "/user/alice/x", fields + origin, route: route),
                400, "no_websocket")
        }
        let mode = [("Sec-Fetch-Mode", "websocket")]
        let opened = try await browser.send(
            "GET", World.hub + "/user/alice/x", FeignedWebSocketTests.upgrade + mode + origin,
            route: route)
        #expect(opened.passage?.session?.username == "alice")
        // An application of another kind may read into it what it likes.
        let plain = try await browser.send(
            "PUT", World.hub + "/user/alice/x", mode + origin,
            route: RouteIdentity(identityHeaders: []))
        #expect(plain.passage != nil)
    }
}
