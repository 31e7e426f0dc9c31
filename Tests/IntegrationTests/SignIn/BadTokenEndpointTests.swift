import GatehouseBase
import GatehouseConfiguration
import GatehouseTesting
import Testing

/// SECURITY-CASES C35, over real sockets.
struct BadTokenEndpointTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Of the page.
        var status = 503
        /// Codes that are redeemed, each once.
        var redemptions = 1
        let spoil: @Sendable (inout Mischief, _ stranger: String, _ backChannel: String) -> Void

        static func trouble(
            _ name: String, _ trouble: @escaping @Sendable (String, String) -> Mischief.Trouble
        ) -> Case {
            Case(testDescription: name) { mischief, stranger, base in
                mischief.trouble[.token] = trouble(stranger, base)
            }
        }
    }

    static let cases: [Case] = [
        .trouble("redirect to another host") { stranger, _ in .redirect(stranger + "/token") },
        .trouble("redirect to itself") { _, base in
            .redirect(base + "/protocol/openid-connect/token")
        },
        .trouble("HTML") { _, _ in .html },
        .trouble("10 MB") { _, _ in .huge(10 << 20) },
        .trouble("endless") { _, _ in .endless },
        .trouble("compressed") { _, _ in .compressed },
        .trouble("a byte now and then") { _, _ in .drip },
        .trouble("no answer") { _, _ in .hang },
        .trouble("closed") { _, _ in .closed },
        .trouble("half of it") { _, _ in .garbage },
        .trouble("500") { _, _ in .status(500) },
        // A 200 with tokens, and an error in it.
        Case(testDescription: "an error of the server in a 200") { mischief, _, _ in
            mischief.tokenResponse = ["error": "server_error"]
        },
        Case(testDescription: "a dead code in a 200", status: 400, redemptions: 3) {
            mischief, _, _ in mischief.tokenResponse = ["error": "invalid_grant"]
        },
        Case(testDescription: "bad credentials in a 200", status: 502) { mischief, _, _ in
            mischief.tokenResponse = ["error": "invalid_client"]
        },
        Case(testDescription: "an error that is no text") { mischief, _, _ in
            mischief.tokenResponse = ["error": 1]
        },
        Case(testDescription: "no ID token", status: 502) { mischief, _, _ in
            mischief.tokenResponse = ["id_token": .null]
        },
    ]

    @Test(arguments: cases)
    func `a bad answer to a code signs nobody in, is over in time, and a good one after it does`(
        wrong: Case
    ) async throws {
        let lab = try await SignInFixture { $0.limits.providerTime = .milliseconds(500) }
        let (stranger, base) = (lab.strangerURL, lab.backChannel)
        lab.provider.misbehave { wrong.spoil(&$0, stranger, base) }
        let browser = try lab.gateway.browser()
        let began = Instant.now()
        let visit = try await browser.signIn(
            lab.url + "/x", username: "alice", password: "alice-pw")
        #expect(Instant.now().since(began) < .seconds(20))
        #expect(visit.url.path == "/.gatehouse/callback")
        try await lab.expectRefused(visit.response, browser, status: wrong.status)
        #expect(lab.provider.count(.token) == wrong.redemptions)
        #expect(lab.provider.count(.keys) == 0)
        lab.provider.behave()
        let good = try await browser.signIn(
            lab.url + "/x", username: "alice", password: "alice-pw")
        #expect(good.response.text == "hello from /x")
        #expect(lab.provider.count(.token) == wrong.redemptions + 1)
        await lab.stop()
    }
}
