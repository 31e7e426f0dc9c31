import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

@Suite struct SessionMemoTests {
    /// A request of a browser that is signed in.
    private func request(
        _ browser: Browser, _ fields: [(String, String)], path: String = "/x"
    ) throws -> RequestHead {
        var request = RequestHead("GET", target: path, authority: "hub.example")
        for (name, value) in fields { request.fields.append(name, value) }
        let value = try #require(browser.session())
        request.fields.append(.cookie, "__Host-Http-gatehouse=\(value)")
        return request
    }

    /// An exchange that registers under a session which has just ended is decided once more. What
    /// the connection remembers must not open it then.
    @Test(arguments: [false, true])
    func `a session that ends after it was decided opens nothing at the second look`(
        isRemoved: Bool
    ) async throws {
        let world = try World()
        let arrival = Arrival(peer: "192.0.2.1", isTLS: true, now: world.clock.instant)
        let upgrade = [
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Origin", World.hub),
        ]
        for fields in [Browser.navigation, Browser.script, upgrade] {
            var browser = Browser(world)
            try await browser.signIn(at: World.hub + "/", as: World.alice)
            let request = try request(browser, fields)
            var memo = SessionMemo()
            for _ in 0..<2 {
                guard
                    case .pass(let passage) = world.gate.decide(
                        request, arrival, route: nil, memo: &memo)
                else {
                    Issue.record("the session is alive")
                    return
                }
                #expect(passage.session?.username == "alice")
            }
            let session = try #require(world.gate.store.all.first { !$0.isEnded })
            if isRemoved {
                try await world.gate.end([session], .signOut)
            } else {
                #expect(session.markEnded())
            }
            #expect(
                LiveConnections().register(NoExchange(), under: session, limit: 1) == .ended)
            switch world.gate.decide(request, arrival, route: nil, memo: &memo) {
            case .own(.startLogin, bodyLimit: 0): #expect(fields[0].1 == "navigate")
            case .answer(let answer):
                #expect(Outcome(answer).status == 401 && fields[0].1 != "navigate")
            default: Issue.record("it passed or went elsewhere")
            }
        }
    }
}

private final class NoExchange: LiveExchange {
    func end(_ cause: EndCause) {}
}
