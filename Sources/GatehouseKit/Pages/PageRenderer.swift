import GatehouseBase
public import GatehouseGate
public import GatehouseHTTP
import GatehouseOIDC

/// Makes HTML of pages: complete without scripts, nothing fetched from anywhere.
public struct PageRenderer: Sendable {
    private let styleHash: String
    private let scriptHash: String

    public init() {
        styleHash = PageRenderer.hash(PageStyle.css)
        scriptHash = PageRenderer.hash(PageStyle.submit)
    }

    /// - Parameters:
    ///   - page: what to say.
    ///   - status: of the answer.
    ///   - fields: of the answer, besides those of every page.
    ///   - id: of the request; shown, and in the log too.
    public func render(
        _ page: Page, status: Int, fields: Fields = Fields(), id: String
    ) -> Response {
        let content = PageContent(page)
        var response = Response(status, body: Array(document(content, status: status, id: id).utf8))
        response.head.fields = fields
        response.head.fields.append(.contentType, "text/html; charset=utf-8")
        response.head.fields.append(.contentSecurityPolicy, policy(content))
        response.head.fields.append("X-Content-Type-Options", "nosniff")
        response.head.fields.append("Referrer-Policy", "no-referrer")
        if fields.firstIndex(of: .cacheControl) == nil {
            response.head.fields.append(.cacheControl, "no-store")
        }
        return response
    }

    /// Nothing but our own style, and no forms where there is none.
    ///
    /// A page with a form has no `form-action`: browsers hold every redirect after a form against
    /// it, and whom a provider asks to end its session we cannot know (`docs/decisions/0020`). No
    /// markup is others', so that there is no form but ours.
    private func policy(_ content: PageContent) -> String {
        let script = content.submitsItself ? "script-src '\(scriptHash)'; " : ""
        let forms = content.hasForm ? "" : "form-action 'none'; "
        return "default-src 'none'; \(script)style-src '\(styleHash)'; \(forms)"
            + "frame-ancestors 'none'; base-uri 'none'"
    }

    private func document(_ content: PageContent, status: Int, id: String) -> String {
        let title = HTML.escape(content.title)
        let paragraphs = content.paragraphs.map { "<p>\(HTML.escape($0))</p>\n" }
        let points = content.points.map { "<li>\(HTML.escape($0))</li>" }.joined()
        // The list belongs after the sentence that introduces it.
        let list = points.isEmpty ? "" : "<ul>\(points)</ul>\n"
        let first = paragraphs.first ?? ""
        let rest = paragraphs.dropFirst().joined()
        let actions = content.actions.map(PageRenderer.action).joined(separator: "\n")
        let bar = actions.isEmpty ? "" : "<div class=\"actions\">\n\(actions)\n</div>\n"
        let script = content.submitsItself ? "<script>\(PageStyle.submit)</script>\n" : ""
        let reload =
            content.reloadsAfter.map { "<meta http-equiv=\"refresh\" content=\"\($0)\">\n" } ?? ""
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="robots" content="noindex">
            \(reload)<title>\(status < 400 ? "" : "\(status): ")\(title)</title>
            <style>\(PageStyle.css)</style>
            </head>
            <body>
            <main>
            <h1>\(title)</h1>
            \(first)\(list)\(rest)\(bar)</main>
            <footer>Reference: \(HTML.escape(id))</footer>
            \(script)</body>
            </html>

            """
    }

    private static func action(_ action: PageContent.Action) -> String {
        switch action {
        case .link(let text, let target):
            return "<a href=\"\(HTML.escape(target))\">\(HTML.escape(text))</a>"
        case .button(let text, let target):
            return "<a class=\"button\" href=\"\(HTML.escape(target))\">\(HTML.escape(text))</a>"
        case .form(let text, let target, let fields):
            let inputs = fields.map { field in
                "<input type=\"hidden\" name=\"\(HTML.escape(field.name))\" "
                    + "value=\"\(HTML.escape(field.value.revealText()))\">"
            }
            return "<form method=\"post\" action=\"\(HTML.escape(target))\">"
                + inputs.joined()
                + "<button class=\"button\" type=\"submit\">\(HTML.escape(text))</button></form>"
        }
    }

    private static func hash(_ text: String) -> String {
        "sha256-" + Base64.encode(Crypto.sha256(Array(text.utf8)))
    }
}
