import GatehouseBase
import GatehouseHTTP
import Testing

@testable import GatehouseGate

/// What an answer of JupyterHub's is an answer to.
@Suite struct TokenQuestionTests: HubSuite {
    let hub: FakeHub
    let world: World

    init() throws {
        hub = FakeHub()
        world = try World(hub: hub)
    }

    private func request(_ token: String) -> RequestHead {
        var request = RequestHead("GET", target: "/x", authority: "hub.example")
        request.fields.append(.authorization, "token \(token)")
        return request
    }

    // SECURITY-CASES G08.
    @Test func `an answer about one token lets no other one in`() async throws {
        let arrival = Arrival(peer: "192.0.2.1", isTLS: true, now: world.clock.instant)
        var memo = SessionMemo()
        func decide(_ token: String, _ answer: TokenAnswer? = nil) -> Decision {
            world.gate.decide(
                request(token), arrival, route: route, answer: answer, memo: &memo)
        }
        guard case .ask(let question) = decide("alices") else {
            Issue.record("nobody was asked")
            return
        }
        let answer = await question.answer()
        #expect(answer.verdict == .good(.user("alice")))
        guard case .ask = decide("junk", answer) else {
            Issue.record("an answer about another token was taken")
            return
        }
        guard case .pass(let passage) = decide("alices", answer) else {
            Issue.record("its own answer was not taken")
            return
        }
        #expect(passage.bearer == .user("alice"))
    }

    // SECURITY-CASES G08.
    @Test func `who decided before the answer came and asks after it asks nobody`() async throws {
        let arrival = Arrival(peer: "192.0.2.1", isTLS: true, now: world.clock.instant)
        var memo = SessionMemo()
        for (token, verdict) in [
            ("alices", TokenVerdict.good(.user("alice"))), ("junk", .bad),
        ] {
            var questions: [TokenQuestion] = []
            for _ in 0..<2 {
                let decision = world.gate.decide(
                    request(token), arrival, route: route, memo: &memo)
                if case .ask(let question) = decision { questions.append(question) }
            }
            #expect(questions.count == 2)
            for question in questions { #expect(await question.answer().verdict == verdict) }
            #expect(hub.asked.filter { $0 == token } == [token])
        }
    }

    // SECURITY-CASES G07, G08.
    @Test func `host and token are told apart where they meet`() throws {
        let one = try #require(HubToken(request("xalices"), limit: 512))
        let other = try #require(HubToken(request("alices"), limit: 512))
        #expect(one.key(host: "hub.example") != other.key(host: "hub.examplex"))
        #expect(one.key(host: "hub.example") == one.key(host: "hub.example"))
        #expect(one.key(host: "hub.example") != one.key(host: "hub.examplx"))
    }
}
