import GatehouseBase
import GatehouseGate
import GatehouseHTTP
import GatehouseKit
import Testing

@Suite struct PageRendererTests {
    private static let attack = "<script>alert(1)</script>\"'&\u{0}\u{202E}"

    private func html(_ page: Page, id: String = "r1") -> String {
        String(
            decoding: PageRenderer().render(page, status: 403, id: id).body, as: UTF8.self)
    }

    private static let pages: [Page] = [
        .denied(username: attack),
        .loginFailed(.refused(code: attack, description: attack), retry: "/x?\(attack)"),
        .confirmLogout(
            username: attack, action: "/\(attack)", token: Secret(attack)),
        .signedOut(.mayBeAlive(end: "https://sso.example/?\(attack)"), signIn: "/?\(attack)"),
        .signedOut(.unknown(end: attack), signIn: attack), .badRequest(attack),
        .signedOut(.cannotBeEnded, signIn: attack), .notSignedIn(signIn: attack),
        .endSession(
            action: "https://sso.example/\(attack)", fields: [(attack, Secret(attack))]),
        .plainHTTP(publicURL: attack), .untrustedFront(peer: attack, fields: [attack]),
        .untrustedFront(peer: attack, fields: []), .frontWithoutScheme(fields: [attack]),
        .misdirected(host: attack),
        .methodNotAllowed(allowed: attack), .providerDown(retry: attack),
    ]

    // SECURITY-CASES C07.
    @Test(arguments: PageRendererTests.pages.indices)
    func `no text of others becomes markup`(index: Int) {
        let text = html(PageRendererTests.pages[index], id: PageRendererTests.attack)
        #expect(!text.contains("<script>alert"))
        #expect(!text.contains("\"'&"))
        #expect(!text.contains("\u{0}"))
        #expect(!text.contains("\u{202E}"))
    }

    @Test func `what the provider says of a refusal can be read`() {
        let text = html(
            .loginFailed(.refused(code: "access_denied", description: "a < b"), retry: "/r"))
        #expect(text.contains("a &lt; b"))
        #expect(text.contains("href=\"/r\""))
    }

    @Test func `who may not bear his name can leave, and others can try again`() {
        let name = html(.loginFailed(.username, retry: "/r"))
        #expect(name.contains("class=\"button\" href=\"/.gatehouse/logout\""))
        #expect(name.contains("<a href=\"/r\">Try again</a>"))
        #expect(!html(.loginFailed(.cookies, retry: "/r")).contains("logout"))
    }

    @Test func `a page lets nothing be loaded, framed or kept`() throws {
        let fields = PageRenderer().render(.notFound, status: 404, id: "r").head.fields
        let policy = try #require(fields.text(.contentSecurityPolicy))
        #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-"))
        #expect(policy.contains("frame-ancestors 'none'"))
        #expect(policy.contains("form-action 'none'"))
        #expect(!policy.contains("script-src"))
        #expect(fields.text(.cacheControl) == "no-store")
        #expect(fields.text(.contentType) == "text/html; charset=utf-8")
    }

    // A provider may send the browser on to any other, which `form-action` would forbid.
    @Test func `the provider may send a sign-out's form wherever it likes, and no page loads more`()
        throws
    {
        let pages: [Page] = [
            .confirmLogout(username: "alice", action: "/x", token: Secret("t")),
            .endSession(
                action: "https://x; script-src *", fields: [("id_token_hint", Secret("t"))]),
        ]
        for page in pages {
            let response = PageRenderer().render(page, status: 200, id: "r")
            let policy = try #require(response.head.fields.text(.contentSecurityPolicy))
            #expect(!policy.contains("form-action"))
            #expect(policy.hasPrefix("default-src 'none'; "))
            #expect(policy.hasSuffix("; frame-ancestors 'none'; base-uri 'none'"))
            #expect(!policy.contains("*") && !policy.contains("unsafe"))
            // No form but the one of ours, in any page.
            let text = String(decoding: response.body, as: UTF8.self)
            #expect(text.ranges(of: "<form").count == 1)
        }
    }

    @Test func `a page without a form lets none be sent, and what leads to a login is a link`() {
        for page in PageRendererTests.pages {
            let response = PageRenderer().render(page, status: 200, id: "r")
            let policy = response.head.fields.text(.contentSecurityPolicy) ?? ""
            let text = String(decoding: response.body, as: UTF8.self)
            let isSignOut =
                if case .confirmLogout = page { true } else if case .endSession = page { true } else
                { false }
            #expect(text.contains("<form") == isSignOut)
            #expect(policy.contains("form-action 'none'") == !isSignOut)
        }
    }
}
