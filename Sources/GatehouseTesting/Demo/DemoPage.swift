import GatehouseBase
import GatehouseHTTP

/// The page of the demonstration: who, what was received, and what is alive. Complete without
/// JavaScript but for the live panels.
struct DemoPage {
    let request: ReceivedRequest
    let identityFields: [String]

    /// The whole answer.
    var response: Response {
        let nonce = Base64URL.encode(Secret.random(count: 16).reveal())
        return DemoPage.page(
            "Who am I?", nonce: nonce,
            """
            <header>
            <h1>Who am I?</h1>
            <nav aria-label="What to try">
            <a class=button href="/" target="_blank" rel=noopener>Open a second tab</a>
            <a class="button out" id=out href="/.gatehouse/logout">Sign out</a>
            </nav>
            </header>
            \(identity)
            \(DemoPage.panels)
            \(DemoPage.places)
            \(received)
            <script nonce="\(nonce)">\(DemoScript.text)</script>
            """)
    }

    private var identity: String {
        let known = identityFields.compactMap { name in request[name].map { (name, $0) } }
        guard !known.isEmpty else {
            return "<section><h2>Nobody</h2><p>No field says who you are. Either this page was "
                + "not reached through the gateway, or its rule is public.</p></section>"
        }
        let rows = known.map { name, value in
            let text = PercentCoding.decode(value) ?? value
            return "<tr><th scope=row>\(HTMLText.escape(name))<td>\(HTMLText.escape(text))"
        }
        return """
            <section>
            <h2>You, as the gateway says</h2>
            <table>\(rows.joined(separator: "\n"))</table>
            <p>The application knows this from fields that only the gateway can set. It has no \
            sign-in of its own.</p>
            </section>
            """
    }

    private var received: String {
        let rows = request.fields.map { name, value in
            "<tr><th scope=row>\(HTMLText.escape(name))<td>\(HTMLText.escape(value))"
        }
        return """
            <section>
            <h2>What the application received</h2>
            <p><code>\(HTMLText.escape(request.method)) \(HTMLText.escape(request.target))</code>\
             with \(request.fields.count) fields. The gateway’s own cookie is not among them.</p>
            <table>\(rows.joined(separator: "\n"))</table>
            </section>
            """
    }

    private static let panels = """
        <section aria-labelledby=live>
        <h2 id=live>Live connections</h2>
        <p>Open a second tab, sign out there, and watch these die.</p>
        <noscript><p><b>The live panels need JavaScript.</b> Without it, open an
        <a href="/events">event stream</a> or a
        <a href="/download?bytes=1000000000&amp;rate=100000">slow download</a>, or send a file
        below; each of them breaks off when you sign out.</p></noscript>
        <p id=summary role=status></p>
        <ul class=panels>
        <li id=socket><b>WebSocket</b> <span class=state>not open</span></li>
        <li id=events><b>Event stream</b> <span class=state>not open</span></li>
        <li id=download><b>Download</b> <span class=state>not started</span>
        <button type=button hidden>Start a slow download</button></li>
        <li id=upload><b>Upload</b> <span class=state>not started</span>
        <button type=button hidden>Start a slow upload</button></li>
        </ul>
        <form method=post action="/upload" enctype="multipart/form-data">
        <label for=file>Send a file; the application counts its bytes</label>
        <input id=file name=file type=file> <button>Send</button>
        </form>
        </section>
        """

    private static let places = """
        <section>
        <h2>Places with rules of their own</h2>
        <ul>
        <li><a href="/admin/">/admin/</a> is for the group <code>/admins</code>: alice.</li>
        <li><a href="/user/alice/">/user/alice/</a> is for alice,
        <a href="/user/bob/">/user/bob/</a> for bob.</li>
        <li><a href="/secret/">/secret/</a> is for nobody.</li>
        </ul>
        </section>
        """

    /// What a form without JavaScript leads to.
    static func uploaded(_ count: Int) -> Response {
        page(
            "Upload", nonce: Base64URL.encode(Secret.random(count: 16).reveal()),
            """
            <h1>Upload</h1>
            <p>The application received \(count) bytes.</p>
            <p><a class=button href="/">Back</a></p>
            """)
    }

    private static func page(_ title: String, nonce: String, _ content: String) -> Response {
        var response = Response(
            200, contentType: "text/html; charset=utf-8",
            """
            <!doctype html>
            <html lang=en>
            <meta charset=utf-8>
            <meta name=viewport content="width=device-width, initial-scale=1">
            <meta name=color-scheme content="light dark">
            <title>\(title) · Gatehouse demonstration</title>
            <style nonce="\(nonce)">\(style)</style>
            <main>
            \(content)
            </main>
            </html>

            """)
        response.head.fields.append(.cacheControl, "no-store")
        response.head.fields.append(
            .contentSecurityPolicy,
            "default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; "
                + "connect-src 'self'; form-action 'self'; base-uri 'none'; "
                + "frame-ancestors 'none'")
        response.head.fields.append("X-Content-Type-Options", "nosniff")
        return response
    }

    private static let style = """
        :root{color-scheme:light dark;--ink:#1c2430;--paper:#eef1f5;--card:#fff;--line:#c3cad4;\
        --mark:#0b5c8a;--live:#136b3a;--dead:#a3142b}
        @media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#14181f;--card:#1e242e;\
        --line:#3d4757;--mark:#8ecbf0;--live:#7fdca4;--dead:#ff9aa8}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
        main{max-width:56rem;margin:0 auto;padding:1rem}
        header{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;\
        justify-content:space-between}
        nav{display:flex;flex-wrap:wrap;gap:.5rem}
        h1{font-size:1.6rem;margin:.5rem 0}
        h2{font-size:1.1rem;margin:0 0 .5rem}
        p{margin:.5rem 0}
        a{color:var(--mark)}
        section{background:var(--card);border:1px solid var(--line);border-radius:.75rem;\
        padding:1rem;margin:1rem 0}
        table{border-collapse:collapse;width:100%;table-layout:fixed}
        th,td{text-align:left;vertical-align:top;padding:.35rem .5rem .35rem 0;\
        border-top:1px solid var(--line);overflow-wrap:anywhere}
        th{width:38%;font-weight:600}
        code{overflow-wrap:anywhere}
        ul.panels{list-style:none;padding:0;display:grid;gap:.5rem;\
        grid-template-columns:repeat(auto-fit,minmax(min(16rem,100%),1fr))}
        ul.panels li{border:1px solid var(--line);border-left:.4rem solid var(--line);\
        border-radius:.5rem;padding:.6rem;overflow-wrap:anywhere}
        ul.panels .state{display:block}
        li.live{border-left-color:var(--live)!important}
        li.live .state{color:var(--live)}
        li.dead{border-left-color:var(--dead)!important}
        li.dead .state{color:var(--dead);font-weight:600}
        label{display:block;font-weight:600;margin-top:.75rem}
        input{font:inherit;max-width:100%}
        button,.button{display:inline-block;font:inherit;font-weight:600;padding:.45rem .8rem;\
        border:1px solid var(--mark);border-radius:.4rem;background:transparent;\
        color:var(--mark);text-decoration:none;cursor:pointer;margin-top:.25rem}
        .out{background:var(--mark);color:var(--card)}
        :focus-visible{outline:3px solid var(--mark);outline-offset:2px}
        """
}
