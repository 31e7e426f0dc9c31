import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// Tests in a world with a Hub.
protocol HubSuite {
    var hub: FakeHub { get }
    var world: World { get }
}

extension HubSuite {
    /// A route to JupyterHub.
    var route: RouteIdentity { hubRoute }

    func send(
        _ token: String?, _ target: String = "/x", method: String = "GET",
        _ fields: [(String, String)] = [], host: String = World.hub, peer: String = "192.0.2.1",
        in other: World? = nil, route: RouteIdentity? = nil
    ) async -> Outcome {
        let world = other ?? world
        var request = RequestHead(
            method, target: target, authority: String(host.dropFirst("https://".count)))
        if let token { request.fields.append(.authorization, "token \(token)") }
        for (name, value) in fields { request.fields.append(name, value) }
        let arrival = Arrival(peer: peer, isTLS: true, now: world.clock.instant)
        return await world.send(request, body: [], arrival, route: route ?? self.route)
    }

    func expectRefused(
        _ outcome: Outcome, _ status: Int = 401, _ error: String = "invalid_token",
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(outcome.status == status, sourceLocation: sourceLocation)
        #expect(outcome.body.contains("\"\(error)\""), sourceLocation: sourceLocation)
        #expect(outcome.passage == nil, sourceLocation: sourceLocation)
        #expect(outcome.location == nil && outcome.cookies.isEmpty, sourceLocation: sourceLocation)
        #expect(outcome.field("cache-control") == "no-store", sourceLocation: sourceLocation)
    }

    func send(_ token: String?, _ fields: [(String, String)]) async -> Outcome {
        await send(token, "/x", fields)
    }
}

private let hubRoute = RouteIdentity(
    identityHeaders: [("X-Forwarded-User", "preferred_username")], hub: HubPreset(baseURL: "/"))
