import GatehouseBase
import Testing

@testable import GatehouseHTTP

private let identity = OwnedNames(["X-WEBAUTH-USER", "Remote_User"])

private func options(_ lines: String...) throws -> ConnectionOptions {
    let text = lines.map { "Connection: \($0)\r\n" }.joined() + "\r\n"
    var fields = Fields()
    _ = try HeadParser.requests(Limits()).parseTrailers(Array(text.utf8).span, into: &fields)
    return try ConnectionOptions(ofRequest: fields, identityNames: identity)
}

private func contains(_ options: ConnectionOptions, _ name: String) -> Bool {
    options.contains(Array(name.utf8).span)
}

@Suite struct ConnectionOptionsTests {
    @Test func `nominated names are told, whatever their case`() throws {
        let some = try options("close, X-Foo", "x-BAR ,, keep-alive")
        #expect(contains(some, "x-foo") && contains(some, "X-Foo") && contains(some, "X-Bar"))
        #expect(!contains(some, "X-Fo") && !contains(some, "X-Fooo") && !contains(some, "close"))
        #expect(!contains(some, "X_Foo"))
    }

    @Test(arguments: [
        "", "close", "keep-alive", "Upgrade", "Keep-Alive, Upgrade", "TE, close",
        "Upgrade, HTTP2-Settings",
    ])
    func `the usual options remember nothing`(value: String) throws {
        #expect(try options(value).names.isEmpty)
    }

    @Test func `no Connection nominates nothing`() throws {
        #expect(try !contains(options(), "x-foo"))
    }

    @Test(arguments: [
        "Host", "Content-Length", "Transfer-Encoding", "Cookie", "Authorization", "Origin",
        "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions", "Sec-WebSocket-Accept", "Sec-WebSocket-Anything",
        "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "X-Request-Id",
        "Sec-Fetch-Site", "Sec-Fetch-Dest", "X-Gatehouse-Assertion", "X-Gatehouse-New",
        "x_forwarded_for", "content_length", "AUTHORIZATION", "Sec.WebSocket.Key", "COOKIE",
        "X-WEBAUTH-USER", "x_webauth_user", "remote-user", "Remote.User", "X-Accel-Anything",
        "X-HTTP-Method-Override", "X-Original-URL",
    ])
    func `what decides something may not be nominated`(name: String) throws {
        for value in [name, "close, \(name)", " \(name) , close", ",\(name)"] {
            #expect(throws: MessageError(.nominated)) { try options(value) }
        }
        #expect(throws: MessageError(.nominated)) { try options("keep-alive", name) }
    }

    @Test func `more names than anybody needs are refused`() throws {
        let many = (0..<33).map { "x-\($0)" }.joined(separator: ",")
        #expect(throws: MessageError(.tooManyFields)) { try options(many) }
        let enough = (0..<32).map { "x-\($0)" }.joined(separator: ",")
        #expect(try contains(options(enough), "x-31"))
    }

    @Test func `a response may nominate what it likes`() throws {
        let head = try response("200 OK", "Connection: X-Foo, Authorization, close")
        let some = try ConnectionOptions(ofResponse: head.fields)
        #expect(contains(some, "X-Foo") && contains(some, "Authorization"))
        #expect(!contains(some, "close"))
    }
}
