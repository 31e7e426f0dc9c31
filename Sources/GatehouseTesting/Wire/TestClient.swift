import GatehouseBase
import GatehouseHTTP
public import GatehouseNet
import Synchronization

/// A browser without a screen: keeps cookies, follows redirects when told, connects every host to
/// this machine. Each request has a connection of its own.
public final class TestClient: Sendable {
    /// What a page or a redirect leads to, and where it was found.
    public struct Visit: Sendable {
        public let url: TestURL
        public let response: WireResponse
    }

    public let loop: EventLoop
    /// How `https` is checked; nil: it cannot be asked for.
    private let tls: ClientTLS?
    /// What a front adds to every request; nil: there is none.
    private let front: [(String, String)]?
    private let jar = Locked(CookieJar())

    /// - Parameters:
    ///   - loop: nil for one of its own.
    ///   - tls: for `https` URLs.
    ///   - front: fields that a front adds. Requests for `https` URLs come in clear then, as a front
    ///     hands them over.
    public init(
        on loop: EventLoop? = nil, tls: ClientTLS? = nil, front: [(String, String)]? = nil
    ) {
        self.front = front
        self.loop = loop ?? EventLoop(name: "test-client")
        self.tls = tls
    }

    /// The cookies as `name=value; …` for a URL, empty where there are none.
    public func cookies(for url: String) -> String {
        guard let url = TestURL(url) else { return "" }
        return jar.withLock { $0.field(for: url) }
    }

    /// Forgets every cookie.
    public func forgetCookies() { jar.withLock { $0 = CookieJar() } }

    /// Keeps a cookie as if the server of `url` had set it.
    public func setCookie(_ line: String, from url: String) {
        guard let url = TestURL(url) else { return }
        jar.withLock { $0.take(line, from: url) }
    }

    /// What a navigation sends besides Host and Cookie.
    public static let navigation: [(String, String)] = [
        ("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-User", "?1"),
        ("Sec-Fetch-Dest", "document"), ("Accept", "text/html,*/*;q=0.8"),
    ]

    /// One request and its response.
    ///
    /// - Parameters:
    ///   - method: such as `GET`.
    ///   - url: absolute; its host is reached on 127.0.0.1.
    ///   - fields: added to Host, Cookie and Content-Length; a Host among them takes its place.
    public func send(
        _ method: String, _ url: String, fields: [(String, String)] = [], body: [UInt8]? = nil
    ) async throws -> WireResponse {
        guard let url = TestURL(url) else { throw WireError.malformed(url) }
        let host = fields.first { $0.0 == "Host" }?.1 ?? url.authority
        var head = "\(method) \(url.target) HTTP/1.1\r\nHost: \(host)\r\n"
        let cookies = jar.withLock { $0.field(for: url) }
        if !cookies.isEmpty { head += "Cookie: \(cookies)\r\n" }
        for (name, value) in (front ?? []) + fields where name != "Host" {
            head += "\(name): \(value)\r\n"
        }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        let bytes = Array((head + "Connection: close\r\n\r\n").utf8) + (body ?? [])
        let isHead = method == "HEAD"
        let tls = url.isSecure && front == nil ? self.tls : nil
        guard !url.isSecure || tls != nil || front != nil else {
            throw WireError.malformed("no TLS here")
        }
        let response = try await loop.attempt { loop in
            let connection = try await RawConnection.connect(
                port: url.port, tls: tls, name: url.host, on: loop)
            try await connection.send(bytes)
            return try await connection.response(to: isHead ? .head : .get)
        }
        jar.withLock { jar in
            for line in response.all("set-cookie") { jar.take(line, from: url) }
        }
        return response
    }

    /// A GET as a navigation.
    public func visit(_ url: String) async throws -> WireResponse {
        try await send("GET", url, fields: TestClient.navigation)
    }

    /// A POST of a form, as a navigation.
    public func post(
        _ url: String, _ form: [(String, String)], fields: [(String, String)] = []
    ) async throws -> WireResponse {
        try await send(
            "POST", url,
            fields: [("Content-Type", "application/x-www-form-urlencoded")] + fields
                + TestClient.navigation.filter { field in
                    !fields.contains { $0.0.lowercased() == field.0.lowercased() }
                },
            body: Array(FormFields.encode(form).utf8))
    }

    /// Navigates, and follows redirects to the page at their end.
    public func follow(_ url: String, atMost limit: Int = 10) async throws -> Visit {
        var url = url
        var response = try await visit(url)
        for _ in 0..<limit {
            guard (301...308).contains(response.status), let next = response["location"],
                let here = TestURL(url)
            else { break }
            url = here.resolved(next)
            response = try await visit(url)
        }
        guard let here = TestURL(url) else { throw WireError.malformed(url) }
        return Visit(url: here, response: response)
    }

    /// Navigates, signs in at the login page of a ``FakeProvider`` if it comes to one, and goes on.
    public func signIn(_ url: String, username: String, password: String) async throws -> Visit {
        let visit = try await follow(url)
        guard let action = visit.response.formAction else { return visit }
        let form = visit.url.resolved(action)
        let answer = try await post(form, [("username", username), ("password", password)])
        guard (301...303).contains(answer.status), let next = answer["location"],
            let here = TestURL(form)
        else { return Visit(url: visit.url, response: answer) }
        return try await follow(here.resolved(next))
    }
}

extension WireResponse {
    /// Where the first form of a page goes.
    public var formAction: String? {
        guard let start = text.firstRange(of: "action=\"") else { return nil }
        let rest = text[start.upperBound...]
        guard let end = rest.firstIndex(of: "\"") else { return nil }
        return String(rest[..<end]).replacing("&amp;", with: "&")
    }

    /// The value of a hidden field of a page.
    public func hidden(_ name: String) -> String? {
        guard let start = text.firstRange(of: "name=\"\(name)\" value=\"") else { return nil }
        let rest = text[start.upperBound...]
        return rest.firstIndex(of: "\"").map { String(rest[..<$0]) }
    }
}

extension EventLoop {
    /// Runs `body` on this loop and waits for it; throws what it throws.
    public nonisolated func attempt<Value: Sendable>(
        _ body: @escaping @Sendable (isolated EventLoop) async throws -> Value
    ) async throws -> Value {
        let result: Result<Value, any Error> = await run { loop in
            do { return .success(try await body(loop)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
