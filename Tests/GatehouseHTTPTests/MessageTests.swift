import GatehouseBase
import Testing

@testable import GatehouseHTTP

@Suite struct MessageTests {
    @Test(arguments: [
        ("GET", Method.get, true, true), ("HEAD", .head, true, true), ("POST", .post, false, false),
        ("PUT", .put, false, true), ("DELETE", .delete, false, true),
        ("OPTIONS", .options, true, true), ("PATCH", .patch, false, false),
        ("PROPFIND", .propfind, true, true), ("REPORT", .report, true, true),
        ("SEARCH", .search, true, true), ("PROPPATCH", .other, false, false),
        ("FROB", .other, false, false), ("get", .other, false, false),
        ("GETT", .other, false, false),
    ])
    func `a method is what RFC 9110 says of it`(
        name: String, method: Method, isSafe: Bool, isIdempotent: Bool
    ) throws {
        let head = try request(method: name)
        #expect(head.method == method && head.methodName().repairedText == name)
        #expect(method.isSafe == isSafe && method.isIdempotent == isIdempotent)
    }

    @Test(
        arguments: [
            ("1.1", nil, true), ("1.1", "close", false), ("1.1", "keep-alive", true),
            ("1.1", "foo, Close", false), ("1.0", nil, false), ("1.0", "keep-alive", true),
            ("1.0", "keep-alive, close", false), ("1.1", "Upgrade", true),
        ] as [(String, String?, Bool)])
    func `a connection is kept as RFC 9112 has it`(
        version: String, connection: String?, expected: Bool
    ) throws {
        let line = connection.map { "Connection: \($0)" } ?? "X: y"
        #expect(try request(line, version: version).wantsKeepAlive == expected)
    }

    @Test func `a response keeps its connection unless it says close`() throws {
        #expect(try response("200 OK").keepsAlive)
        #expect(try !response("200 OK", "Connection: close").keepsAlive)
    }

    @Test(arguments: [(100, true), (103, true), (101, false), (200, false), (500, false)])
    func `an interim response is no final one`(status: Int, expected: Bool) {
        #expect(ResponseHead(status).isInterim == expected)
    }

    @Test func `a head of our own reads as one that was received`() {
        let head = RequestHead("POST", target: "/a/b?c=d?e", authority: "hub:80")
        #expect(head.method == .post && head.version == .http11 && !head.isAbsoluteForm)
        #expect(head.path().repairedText == "/a/b" && head.query().repairedText == "c=d?e")
        #expect(head.target().repairedText == "/a/b?c=d?e")
        #expect(head.fields.text(.host) == "hub:80")
        let plain = RequestHead("GET", target: "/", authority: "a")
        #expect(plain.query().isEmpty && plain.path().repairedText == "/")
    }

    @Test func `an answer of our own carries its type`() {
        let answer = Response(404, contentType: "text/plain", "no")
        #expect(answer.head.status == 404 && answer.body == Array("no".utf8))
        #expect(answer.head.fields.text(.contentType) == "text/plain")
    }

    @Test(arguments: [
        (MessageError.Rule.requestLineTooLong, 414), (.headTooLarge, 431), (.tooManyFields, 431),
        (.version, 505), (.method, 405), (.webSocketVersion, 426), (.host, 400), (.chunk, 400),
        (.bareLineFeed, 400), (.lengthAndEncoding, 400), (.nominated, 400),
    ])
    func `a refusal has the status that the rule asks for`(rule: MessageError.Rule, status: Int) {
        #expect(MessageError(rule).status == status)
    }
}
