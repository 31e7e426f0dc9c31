import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import Testing

@testable import GatehouseProxy

struct ForwardingRulesTests {
    /// The request head that the upstream gets for `text`.
    private func forwarded(
        _ text: String, isUpgrade: Bool = false, identity: [String] = [],
        dropsAuthorization: Bool = false,
        fields: ForwardedFields = ForwardedFields(
            .replace, peer: "192.0.2.1", isTLS: true, port: 443)
    ) throws -> String {
        let bytes = Array(text.replacing("\n", with: "\r\n").utf8)
        var head = RequestHead()
        _ = try #require(try HeadParser.requests(Limits()).parse(bytes.span, into: &head))
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        var edits = FieldEdits(identityNames: OwnedNames(identity))
        edits.dropsAuthorization = dropsAuthorization
        var buffer = ByteBuffer()
        try ForwardingRules.appendRequest(
            head, framing: try BodyFraming.of(head), isUpgrade: isUpgrade, edits: edits,
            targetHost: Array("upstream:80".utf8), id: RequestID(1),
            forwarded: fields, isTLS: true, ForwardingOptions(), to: &buffer)
        return buffer.withReadable { $0.repairedText }
    }

    /// The response head that the client gets for `text`.
    private func returned(
        _ text: String, _ review: ResponseReview = ResponseReview()
    ) throws -> String {
        let bytes = Array(text.replacing("\n", with: "\r\n").utf8)
        var head = ResponseHead()
        _ = try #require(try HeadParser.responses(Limits()).parse(bytes.span, into: &head))
        var buffer = ByteBuffer()
        try ForwardingRules.appendResponse(
            head, framing: .none, keepAlive: .implied, review, to: &buffer)
        return buffer.withReadable { $0.repairedText }
    }

    @Test func `an answer without a date gets one, an interim answer gets none and no length`()
        throws
    {
        #expect(try returned("HTTP/1.1 200 OK\nX-A: 1\n\n").contains("\r\nDate: "))
        let dated = try returned("HTTP/1.1 200 OK\ndate: Fri, 27 Nov 2026 16:00:00 GMT\n\n")
        #expect(dated.lowercased().split(separator: "date: ").count == 2)
        let interim = try returned("HTTP/1.1 103 Early Hints\nContent-Length: 3\nLink: </x>\n\n")
        #expect(!interim.contains("Date") && !interim.contains("Length"))
        #expect(interim.contains("Link: </x>\r\n"))
    }

    // SECURITY B01–B03, A15, A17.
    @Test(arguments: [
        "X-Auth-User", "x-auth-user", "X_Auth_User", "X-Auth.User", "X+Auth+User", "X~Auth~User",
        "X-Auth'User", "x!auth#user", "X$AUTH%USER", "X&Auth*User", "X^Auth`User", "X|Auth|User",
    ])
    func `an identity field of the client's is removed in every spelling`(name: String) throws {
        let head = try forwarded(
            "GET / HTTP/1.1\nHost: hub\n\(name): admin\nX-Other: kept\n\n",
            identity: ["X-Auth-User"])
        #expect(!head.contains("admin"))
        #expect(head.contains("X-Other: kept\r\n"))
    }

    // SECURITY-CASES G06.
    @Test(arguments: ["Authorization", "AUTHORIZATION", "authorization"])
    func `Authorization stays here where the gate says so`(name: String) throws {
        let text = "GET / HTTP/1.1\nHost: hub\n\(name): token t\nX-A: 1\n\(name): token u\n\n"
        let head = try forwarded(text, dropsAuthorization: true)
        #expect(!head.contains("token"))
        #expect(head.contains("X-A: 1\r\n"))
        #expect(try forwarded(text).contains("token t\r\n"))
    }

    // SECURITY B02: any name that is configured, also one that we know for something else.
    @Test(arguments: ["User-Agent", "X-Requested-With", "accept", "X_Requested.With"])
    func `an identity field with a well-known name is removed as any other`(name: String) throws {
        let head = try forwarded(
            "GET / HTTP/1.1\nHost: hub\n\(name): admin\nX-Other: kept\n\n",
            identity: ["User-Agent", "X-Requested-With", "Accept"])
        #expect(!head.contains("admin"))
        #expect(head.contains("X-Other: kept\r\n"))
        #expect(try forwarded("GET / HTTP/1.1\nHost: hub\nAccept: kept\n\n").contains("kept"))
    }

    // SECURITY B01, B09: a backend that writes `-` for `_` must not find a second one.
    @Test(arguments: [
        "Content_Length", "content.length", "Transfer_Encoding", "Sec_Fetch_Site",
        "Sec.WebSocket.Key", "X_Request_Id", "Proxy_Connection",
    ])
    func `what looks like a field that decides something is removed`(name: String) throws {
        let head = try forwarded("GET / HTTP/1.1\nHost: hub\n\(name): evil\nX-Other: kept\n\n")
        #expect(!head.contains("evil"))
        #expect(head.contains("X-Other: kept\r\n"))
    }

    // SECURITY A19: one value each, ours, however many came.
    @Test func `forwarded fields have one value each`() throws {
        let names = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP"]
        let lines = names.map { "\($0): 203.0.113.9, 10.0.0.1\n\($0.lowercased()): evil\n" }
        let head = try forwarded("GET / HTTP/1.1\nHost: hub\n\(lines.joined())\n")
        #expect(!head.contains("evil") && !head.contains("203.0.113.9"))
        for name in names {
            #expect(head.split(separator: "\r\n\(name): ").count == 2, "\(name)")
        }
        #expect(head.contains("\r\nX-Forwarded-Host: hub\r\n"))
    }

    @Test func `what a trusted front says goes on with one value each, the client's`() throws {
        let text =
            "GET / HTTP/1.1\nHost: hub:8443\nX-Forwarded-For: 6.6.6.6, 203.0.113.7\n"
            + "X-Forwarded-Proto: https\nX-Scheme: https\nX-Forwarded-Host: evil\n"
            + "Forwarded: for=6.6.6.6\nCF-Connecting-IP: 6.6.6.6\nX_Real_IP: 6.6.6.6\n\n"
        let head = try forwarded(text, fields: .origin(Array("203.0.113.7".utf8)))
        for line in [
            "X-Forwarded-For: 203.0.113.7", "X-Real-IP: 203.0.113.7", "X-Forwarded-Proto: https",
            "X-Scheme: https", "X-Forwarded-Host: hub:8443", "X-Forwarded-Port: 8443",
        ] {
            #expect(head.split(separator: "\r\n").count { $0 == line } == 1, "\(line)")
        }
        #expect(!head.contains("6.6.6.6") && !head.contains("evil"))
        let nobody = try forwarded(
            "GET / HTTP/1.1\nHost: hub\nX-Real-IP: 6.6.6.6\n\n", fields: .origin([]))
        #expect(!nobody.contains("X-Real-IP") && !nobody.contains("X-Forwarded-For"))
        #expect(nobody.contains("\r\nX-Forwarded-Port: 443\r\n"))
    }

    @Test func `an event stream tells nginx not to keep it, unless the upstream has spoken`() throws
    {
        let line = "X-Accel-Buffering: no\r\n"
        for type in ["text/event-stream", "Text/Event-Stream; charset=utf-8"] {
            #expect(try returned("HTTP/1.1 200 OK\nContent-Type: \(type)\n\n").contains(line))
        }
        let spoken = try returned(
            "HTTP/1.1 200 OK\nX-Accel-Buffering: yes\nContent-Type: text/event-stream\n\n")
        #expect(spoken.contains("X-Accel-Buffering: yes\r\n") && !spoken.contains(line))
        for type in ["text/html", "text/event", "application/json"] {
            #expect(!(try returned("HTTP/1.1 200 OK\nContent-Type: \(type)\n\n").contains("Accel")))
        }
    }

    // SECURITY B04.
    @Test func `trailers carry nothing that frames, routes, authenticates or is ours`() throws {
        let names = [
            "X-WebAuth-User", "x_webauth_user", "X-Forwarded-For", "Forwarded", "X-Real-IP",
            "X-Gatehouse-Assertion", "X_Gatehouse_New", "Authorization", "Cookie", "Set-Cookie",
            "Host", "Content-Length", "Content_Length", "Transfer-Encoding", "Connection", "TE",
            "Content-Type", "Content-Encoding", "Cache-Control", "Expect", "X-Request-Id",
            "Sec-Fetch-Site", "X-HTTP-Method-Override",
        ]
        var trailers = Fields()
        for name in names { trailers.append(name, "evil") }
        let owned = OwnedNames(["X-WebAuth-User"])
        #expect(ForwardingRules.passingTrailers(trailers, owned) == nil)
        trailers.append("X-Checksum", "kept")
        let passing = try #require(ForwardingRules.passingTrailers(trailers, owned))
        #expect(passing.count == 1 && passing.value(at: 0).text == "kept")
    }

    @Test(arguments: [
        "X-Forwarded-For", "Forwarded", "X-Real-IP", "X_Real_IP", "X-Original-URL",
        "X-Rewrite-URL", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Accel-Redirect",
        "X-HTTP-Method-Override", "X-Gatehouse-Assertion", "X_Gatehouse_Anything",
        "CF-Connecting-IP", "X-Request-Id",
    ])
    func `what is never taken from a client is removed and ours is set once`(name: String) throws {
        let head = try forwarded("GET / HTTP/1.1\nHost: hub\n\(name): evil\n\n")
        #expect(!head.contains("evil"))
        #expect(head.contains("X-Forwarded-For: 192.0.2.1\r\n"))
        #expect(head.contains("X-Forwarded-Proto: https\r\n"))
        #expect(head.contains("X-Request-Id: 0000000000000001\r\n"))
    }

    // SECURITY B05.
    @Test func `fields that Connection nominates end here`() throws {
        let head = try forwarded(
            "GET / HTTP/1.1\nHost: hub\nConnection: X-Foo, keep-alive\nX-Foo: 1\nX-Bar: 2\n\n")
        #expect(!head.contains("X-Foo"))
        #expect(!head.contains("keep-alive"))
        #expect(head.contains("X-Bar: 2\r\n"))
    }

    @Test(arguments: ["Authorization", "Cookie", "Host", "Content-Length", "X-Forwarded-For"])
    func `a nomination of what decides something is refused`(name: String) throws {
        #expect(throws: MessageError.self) {
            try forwarded("GET / HTTP/1.1\nHost: hub\nConnection: \(name)\n\n")
        }
    }

    // SECURITY D16.
    @Test func `our cookies stay here, the others pass byte for byte`() throws {
        let head = try forwarded(
            "GET / HTTP/1.1\nHost: hub\n"
                + "Cookie: a=\"1|2\"; __Host-Http-gatehouse=x.y;  b=3; __Host-Http-gatehouse-tx-q=1\n\n"
        )
        #expect(!head.contains("__Host-Http-gatehouse"))
        #expect(head.contains("a=\"1|2\""))
        #expect(head.contains("b=3"))
    }

    // SECURITY D16.
    @Test(
        arguments: [false, true],
        [
            "__Host-Http-gatehouse=x; a=1; __Host-Http-gatehouse=y",
            "a=1;__Host-Http-gatehouse=x", "  __Host-Http-gatehouse = x ;a=1",
            "a=1; __HOST-http-GATEHOUSE=x", "a=1; __Host-Http-gatehouse-tx-1=x;",
        ])
    func `our cookies stay here however they are written`(isUpgrade: Bool, cookies: String) throws {
        let head = try forwarded(
            "GET / HTTP/1.1\nHost: hub\nConnection: Upgrade\nUpgrade: websocket\n"
                + "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
                + "Cookie: \(cookies)\n\n",
            isUpgrade: isUpgrade)
        #expect(!head.lowercased().contains("gatehouse"))
        #expect(head.contains("a=1"))
        #expect(head.lowercased().contains("upgrade: websocket") == isUpgrade)
    }

    // SECURITY B05.
    @Test func `fields that an upstream's Connection nominates end here too`() throws {
        let head = try returned(
            "HTTP/1.1 200 OK\nConnection: X-Foo, keep-alive\nX-Foo: 1\nKeep-Alive: 5\nX-Bar: 2\n\n")
        #expect(!head.lowercased().contains("x-foo"))
        #expect(!head.lowercased().contains("keep-alive"))
        #expect(head.contains("X-Bar: 2\r\n"))
    }

    // SECURITY B14.
    @Test func `an upstream sets no cookie of ours, and its own byte for byte`() throws {
        let head = try returned(
            "HTTP/1.1 200 OK\nSet-Cookie: __Host-Http-gatehouse=evil; Path=/\n"
                + "Set-Cookie: __HOST-http-gatehouse-tx-1=evil\nSet-Cookie: a=\"1|2\"; Path=/\n"
                + "Set-Cookie: b=2\n\n")
        #expect(!head.contains("evil"))
        #expect(head.contains("Set-Cookie: a=\"1|2\"; Path=/\r\nSet-Cookie: b=2\r\n"))
    }

    // SECURITY B15.
    @Test(arguments: [
        "X-Gatehouse-Assertion", "X-Gatehouse-Login", "X-Accel-Redirect", "x_gatehouse_assertion",
        "Clear-Site-Data", "Proxy-Authenticate",
    ])
    func `an upstream says none of our fields`(name: String) throws {
        let head = try returned("HTTP/1.1 200 OK\n\(name): evil\nX-Bar: 2\n\n")
        #expect(!head.contains("evil"))
        #expect(head.contains("X-Bar: 2\r\n"))
    }

    // SECURITY B18.
    @Test(arguments: [
        "Service-Worker-Allowed", "Strict-Transport-Security", "NEL", "Report-To",
        "reporting-endpoints", "Alt-Svc", "Public-Key-Pins", "Accept-CH",
        "Secure-Session-Registration", "Set-Login", "service_worker_allowed",
    ])
    func `what holds for the whole origin passes from whom it belongs to, and from nobody else`(
        name: String
    ) throws {
        let text = "HTTP/1.1 200 OK\nX-Foo: 1\n\(name): evil\nX-Bar: 2\n\n"
        let head = try returned(text, ResponseReview(mayBindOrigin: false))
        #expect(!head.contains("evil"))
        #expect(head.contains("X-Foo: 1\r\nX-Bar: 2\r\n"))
        #expect(try returned(text).contains("\(name): evil\r\n"))
    }

    // SECURITY A08: the bytes received are what is forwarded.
    // RFC 9213: each of them would outrank our `private` at the cache that it is for.
    @Test(arguments: [
        "CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "cdn_cache.control", "X-Cache-Control",
        "Surrogate-Control", "Edge-Control",
    ])
    func `what speaks to one cache alone is said under a public rule only`(name: String) throws {
        let head = "HTTP/1.1 200 OK\n\(name): public, max-age=600\nX-Other: kept\n\n"
        for caching in [ResponseReview.Caching.navigation, .privateOnly] {
            let answer = try returned(head, ResponseReview(caching: caching))
            #expect(!answer.contains("max-age=600"))
            #expect(answer.contains("X-Other: kept\r\n"))
            #expect(answer.contains("Cache-Control: private\r\n"))
        }
        #expect(try returned(head).contains("\(name): public, max-age=600\r\n"))
    }

    // RFC 9111 §5.2.2: a comma in a quoted string separates nothing.
    @Test(arguments: [
        (
            "max-age=3600, private=\"set-cookie, x-foo\", no-store",
            "private, max-age=3600, no-store"
        ),
        ("community=\"a, public, b\", max-age=1", "private, community=\"a, public, b\", max-age=1"),
        ("no-cache=\"a\\\", b\", public", "private, no-cache=\"a\\\", b\""),
        ("public , s-maxage=9,, max-age=1", "private, max-age=1"),
        // Who has lost the closing quote may have meant anything.
        ("public, private=\"x, no-store", "private, no-store"),
        ("public, max-age=1, x=\"\\", "private, no-store"),
    ])
    func `directives in quotes stay whole`(said: String, passed: String) throws {
        let answer = try returned(
            "HTTP/1.1 200 OK\nCache-Control: \(said)\n\n", ResponseReview(caching: .privateOnly))
        #expect(answer.contains("\r\nCache-Control: \(passed)\r\n"), "\(answer)")
    }

    @Test func `what may not be transformed may not be, kept or not`() throws {
        let page = "HTTP/1.1 200 OK\nContent-Type: text/html\nCache-Control: "
        let review = ResponseReview(caching: .navigation)
        #expect(
            try returned(page + "max-age=60, No-Transform\n\n", review)
                .contains("\r\nCache-Control: no-store, no-transform\r\n"))
        #expect(
            try returned(page + "max-age=60\n\n", review)
                .contains("\r\nCache-Control: no-store\r\n"))
    }

    @Test(arguments: [ResponseReview.Caching.navigation, .privateOnly])
    func `an interim answer says what it said`(caching: ResponseReview.Caching) throws {
        let interim = try returned(
            "HTTP/1.1 103 Early Hints\nLink: </x>\n\n", ResponseReview(caching: caching))
        #expect(interim == "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    }

    // RFC 9110 §15.5.22.
    @Test func `a 426 says to what, where it is what we forward`() throws {
        let head = "HTTP/1.1 426 Upgrade Required\nConnection: upgrade\nUpgrade: "
        #expect(try returned(head + "websocket\n\n").contains("\r\nUpgrade: websocket\r\n"))
        #expect(try !returned(head + "h2c\n\n").contains("Upgrade:"))
        #expect(
            try !returned("HTTP/1.1 200 OK\nConnection: upgrade\nUpgrade: websocket\n\n")
                .contains("Upgrade:"))
    }

    // RFC 9110 §8.6: some servers answer 411 where nobody says how long nothing is.
    @Test(arguments: ["POST", "PUT", "DELETE", "GET"])
    func `who says that there is no body says so upstream, and who says nothing does not`(
        method: String
    ) throws {
        let head = "\(method) / HTTP/1.1\nHost: hub\n"
        let said = try forwarded(head + "Content-Length: 0\n\n")
        #expect(said.ranges(of: "Content-Length: 0\r\n").count == 1)
        #expect(try !forwarded(head + "\n").contains("Content-Length"))
    }

    @Test func `the target goes on as it came`() throws {
        let head = try forwarded("GET /a%2Fb/%70?x=%20+1 HTTP/1.1\nHost: hub\n\n")
        #expect(head.hasPrefix("GET /a%2Fb/%70?x=%20+1 HTTP/1.1\r\nHost: hub\r\n"))
    }

    // SECURITY B12.
    @Test func `an upgrade to h2c is not forwarded`() throws {
        let head = try forwarded(
            "GET / HTTP/1.1\nHost: hub\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\n"
                + "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\n\n")
        #expect(!head.lowercased().contains("upgrade"))
        #expect(!head.contains("HTTP2-Settings"))
    }
}
