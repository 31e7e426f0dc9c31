import GatehouseBase
import GatehouseConfiguration
import GatehouseTesting
import Testing

/// SECURITY-CASES C34, over real sockets: whatever the discovery document is, nobody is sent
/// anywhere, no other host is asked, and it is over in time.
struct BadDiscoveryTests {
    /// What is wrong, for a fixture that knows the addresses.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let spoil: @Sendable (inout Mischief, _ stranger: String, _ backChannel: String) -> Void

        static func member(
            _ name: String, _ value: @escaping @Sendable (String, String) -> JSONValue
        )
            -> Case
        {
            Case(testDescription: "\(name) \(value("STRANGER", "BASE").encoded().count)") {
                mischief, stranger, base in
                mischief.discovery[name] = value(stranger, base)
            }
        }

        static func trouble(
            _ name: String, _ trouble: @escaping @Sendable (String) -> Mischief.Trouble
        ) -> Case {
            Case(testDescription: name) { mischief, stranger, _ in
                mischief.trouble[.discovery] = trouble(stranger)
            }
        }
    }

    static let documents: [Case] = [
        .member("issuer") { _, _ in "https://evil.example/provider" },
        .member("issuer") { _, base in .string(base) },
        .member("issuer") { _, _ in .null },
        .member("token_endpoint") { stranger, _ in .string(stranger + "/token") },
        .member("token_endpoint") { _, base in .string(base.replacing("http:", with: "https:")) },
        .member("token_endpoint") { _, base in .string(base + "/../token") },
        .member("token_endpoint") { _, base in
            .string(base.replacing("//127", with: "//evil.example@127"))
        },
        .member("jwks_uri") { stranger, _ in .string(stranger + "/certs") },
        .member("jwks_uri") { _, _ in "file:///etc/passwd" },
        .member("authorization_endpoint") { _, _ in "https://evil.example/auth" },
        .member("authorization_endpoint") { _, _ in "http://localhost/auth" },
        .member("authorization_endpoint") { _, _ in "javascript:alert(1)" },
        .member("end_session_endpoint") { stranger, _ in .string(stranger + "/logout") },
        .member("id_token_signing_alg_values_supported") { _, _ in ["none", "HS256"] },
    ]

    static let troubles: [Case] = [
        .trouble("redirect to another host") { .redirect($0 + "/openid-configuration") },
        .trouble("larger than the limit") { _ in .huge(2 << 20) },
        .trouble("endless") { _ in .endless },
        .trouble("a byte now and then") { _ in .drip },
        .trouble("no answer") { _ in .hang },
        .trouble("closed") { _ in .closed },
        .trouble("compressed") { _ in .compressed },
        .trouble("HTML") { _ in .html },
        .trouble("half of it") { _ in .garbage },
        .trouble("500") { _ in .status(500) },
    ]

    @Test(arguments: documents + troubles)
    func `a bad discovery document signs nobody in, is over in time, and a good one after it does`(
        wrong: Case
    ) async throws {
        let lab = try await SignInFixture { $0.limits.providerTime = .milliseconds(500) }
        let (stranger, base) = (lab.strangerURL, lab.backChannel)
        lab.provider.misbehave { wrong.spoil(&$0, stranger, base) }
        let browser = try lab.gateway.browser()
        let began = Instant.now()
        let page = try await browser.visit(lab.url + "/x")
        #expect(Instant.now().since(began) < .seconds(20))
        try await lab.expectRefused(page, browser, status: 503)
        #expect(page["retry-after"] != nil && page["location"] == nil)
        #expect(page.all("set-cookie").isEmpty)
        #expect(lab.provider.count(.discovery) == 1)
        for endpoint in Mischief.Endpoint.allCases where endpoint != .discovery {
            #expect(lab.provider.count(endpoint) == 0, "\(endpoint)")
        }
        lab.provider.behave()
        #expect(try await lab.signInOnceAsked().response.text == "hello from /x")
        await lab.stop()
    }

    /// The provider of the fixture is asked below another base; here that is all the same.
    @Test func `while the good document is known a bad one changes nothing`() async throws {
        let lab = try await SignInFixture { $0.limits.keySetLifetime = .zero }
        #expect(try await lab.signIn().response.status == 200)
        let evil = JSONValue.string(lab.strangerURL + "/token")
        lab.provider.misbehave { $0.discovery = ["token_endpoint": evil] }
        let before = lab.provider.count(.discovery)
        #expect(try await lab.signIn().response.status == 200)
        #expect(lab.provider.count(.discovery) > before)
        #expect(lab.stranger.count() == 0)
        await lab.stop()
    }
}
