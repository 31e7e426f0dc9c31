import GatehouseHTTP

/// The pages of a ``FakeProvider``: without scripts, light and dark, good on a phone.
enum ProviderPages {
    /// Asks for name and password.
    static func login(
        action: String, client: String, fixedUser: String?, problem: String?, hint: String
    ) -> Response {
        let note = problem.map { "<p class=bad role=alert>\(HTMLText.escape($0))</p>" } ?? ""
        let name =
            fixedUser.map { name in
                "<p>Please re-authenticate to continue as <b>\(HTMLText.escape(name))</b>.</p>"
            }
                ?? """
                <label for=username>User name</label>
                <input id=username name=username autocomplete=username autocapitalize=none required \
                autofocus>
                """
        let hint = hint.isEmpty ? "" : "<p class=hint>\(HTMLText.escape(hint))</p>"
        return page(
            200, "Sign in",
            """
            <p>to go on to <b>\(HTMLText.escape(client))</b></p>\(note)
            <form method=post action="\(HTMLText.escape(action))">
            \(name)
            <label for=password>Password</label>
            <input id=password name=password type=password autocomplete=current-password required>
            <button>Sign in</button>
            </form>\(hint)
            """)
    }

    /// Asks whether to sign out.
    static func confirmLogout(action: String, word: String, username: String?) -> Response {
        let who = username.map { "<p>Signed in as <b>\(HTMLText.escape($0))</b>.</p>" } ?? ""
        return page(
            200, "Do you want to sign out?",
            """
            \(who)<form method=post action="\(HTMLText.escape(action))">
            <input type=hidden name="session_code" value="\(HTMLText.escape(word))">
            <button>Sign out</button>
            </form>
            """)
    }

    /// The end, where nobody asked to be sent on.
    static func loggedOut() -> Response {
        page(200, "You are signed out", "<p>The session at the provider has ended.</p>")
    }

    /// Something is wrong with what the browser brought.
    static func problem(_ status: Int, _ title: String, _ text: String) -> Response {
        page(status, title, "<p class=bad>\(HTMLText.escape(text))</p>")
    }

    private static func page(_ status: Int, _ title: String, _ content: String) -> Response {
        var response = Response(
            status, contentType: "text/html; charset=utf-8",
            """
            <!doctype html>
            <html lang=en>
            <meta charset=utf-8>
            <meta name=viewport content="width=device-width, initial-scale=1">
            <meta name=color-scheme content="light dark">
            <title>\(HTMLText.escape(title)) · Development provider</title>
            <style>\(style)</style>
            <main>
            <p class=mark>Development provider</p>
            <h1>\(HTMLText.escape(title))</h1>
            \(content)
            </main>
            </html>

            """)
        response.head.fields.append(.cacheControl, "no-store")
        // No form-action: a browser would hold the redirect after the form to it as well.
        response.head.fields.append(
            .contentSecurityPolicy,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
        )
        response.head.fields.append("X-Content-Type-Options", "nosniff")
        response.head.fields.append("Referrer-Policy", "no-referrer")
        return response
    }

    private static let style = """
        :root{color-scheme:light dark;--ink:#1c2430;--paper:#eef1f5;--card:#fff;--line:#8a94a3;\
        --mark:#5b3fb5;--bad:#a3142b}
        @media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#14181f;--card:#1e242e;\
        --line:#7b8698;--mark:#b9a5ff;--bad:#ff9aa8}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);\
        font:1rem/1.5 system-ui,sans-serif;display:grid;min-height:100vh;place-items:center}
        main{width:min(24rem,calc(100vw - 2rem));margin:1rem;padding:1.5rem;border-radius:.75rem;\
        background:var(--card);border:1px solid var(--line);overflow-wrap:anywhere}
        h1{font-size:1.4rem;margin:.25rem 0 .75rem}
        .mark{margin:0;color:var(--mark);font-weight:600;font-size:.9rem}
        .bad{color:var(--bad);font-weight:600}
        .hint{font-size:.9rem;border-top:1px solid var(--line);padding-top:.75rem;margin:1rem 0 0}
        label{display:block;margin:.75rem 0 .25rem;font-weight:600}
        input{width:100%;padding:.6rem;font:inherit;color:inherit;background:transparent;\
        border:1px solid var(--line);border-radius:.4rem}
        button{margin-top:1rem;width:100%;padding:.7rem;font:inherit;font-weight:600;border:0;\
        border-radius:.4rem;background:var(--mark);color:var(--card);cursor:pointer}
        :focus-visible{outline:3px solid var(--mark);outline-offset:2px}
        """
}
