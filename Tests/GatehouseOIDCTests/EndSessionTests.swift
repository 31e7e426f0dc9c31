import GatehouseBase
import GatehouseOIDC
import Testing

struct EndSessionTests {
    private func request(hint: Secret?, state: String? = "s 1") -> EndSession {
        EndSession(
            endpoint: "https://sso.example/logout", clientID: "gatehouse", idTokenHint: hint,
            postLogoutRedirectURI: "https://hub.example/.gatehouse/logged-out", state: state)
    }

    @Test func `a short request is a URL`() throws {
        guard case .redirect(let url) = request(hint: Secret("a.b.c")).answer else {
            Issue.record("a form")
            return
        }
        #expect(
            url.revealText() == "https://sso.example/logout?id_token_hint=a.b.c&client_id=gatehouse"
                + "&post_logout_redirect_uri=https%3A%2F%2Fhub.example%2F.gatehouse%2Flogged-out"
                + "&state=s+1")
        #expect("\(request(hint: Secret("a.b.c")).answer)".contains("a.b.c") == false)
    }

    @Test func `without a token or a state there is none`() {
        guard case .redirect(let url) = request(hint: nil, state: nil).answer else {
            Issue.record("a form")
            return
        }
        #expect(!url.revealText().contains("id_token_hint"))
        #expect(!url.revealText().contains("state="))
    }

    @Test func `above 2 kB it is a form`() throws {
        let token = String(repeating: "x", count: 5891)
        guard case .form(let action, let fields) = request(hint: Secret(token)).answer else {
            Issue.record("a URL")
            return
        }
        #expect(action == "https://sso.example/logout")
        #expect(
            fields.map(\.name) == [
                "id_token_hint", "client_id", "post_logout_redirect_uri", "state",
            ])
        #expect(fields.first?.value == Secret(token))
        #expect(fields.last?.value == Secret("s 1"))
    }

    @Test func `the border is 2048 bytes of URL`() {
        guard case .redirect(let url) = request(hint: Secret("x")).answer else { return }
        let room = 2048 - url.count
        for (extra, redirects) in [(room, true), (room + 1, false)] {
            let hint = Secret("x" + String(repeating: "y", count: extra))
            if case .redirect = request(hint: hint).answer {
                #expect(redirects)
            } else {
                #expect(!redirects)
            }
        }
    }
}
