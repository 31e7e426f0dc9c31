import GatehouseBase
import Testing

@testable import GatehouseHTTP

private func rule(_ text: String, limits: Limits = Limits()) -> MessageError.Rule? {
    var head = RequestHead()
    do {
        let count = try HeadParser.requests(limits).parse(Array(text.utf8).span, into: &head)
        #expect(count != nil, "incomplete")
    } catch {
        #expect(head.fields.isEmpty && head.target().isEmpty)
        return error.rule
    }
    return nil
}

private func responseRule(_ text: String, limits: Limits = Limits()) -> MessageError.Rule? {
    var head = ResponseHead()
    do {
        let count = try HeadParser.responses(limits).parse(Array(text.utf8).span, into: &head)
        #expect(count != nil, "incomplete")
    } catch {
        #expect(head.fields.isEmpty && head.reason().isEmpty)
        return error.rule
    }
    return nil
}

private func limits(_ change: (inout Limits) -> Void) -> Limits {
    var limits = Limits()
    change(&limits)
    return limits
}

@Suite struct RequestHeadParserTests {
    @Test func `a request comes apart`() throws {
        let head = try parseRequest(
            "PUT /a%2Fb;c?d=e&f HTTP/1.1\r\nHost: hub:80\r\nX-A:  b c \r\n\r\n")
        #expect(head.method == .put && head.version == .http11 && !head.isAbsoluteForm)
        #expect(head.methodName().repairedText == "PUT")
        #expect(head.target().repairedText == "/a%2Fb;c?d=e&f")
        #expect(head.path().repairedText == "/a%2Fb;c")
        #expect(head.query().repairedText == "d=e&f")
        #expect(lines(head.fields) == ["Host: hub:80", "X-A: b c"])
    }

    @Test func `an absolute form comes apart`() throws {
        let head = try parseRequest("GET HTTP://HUB:80/a?b HTTP/1.1\r\nHost: hub:80\r\n\r\n")
        #expect(head.isAbsoluteForm)
        #expect(head.authority().repairedText == "HUB:80")
        #expect(head.target().repairedText == "/a?b")
        #expect(head.path().repairedText == "/a")
    }

    @Test func `what follows the head is left alone`() throws {
        var head = RequestHead()
        let text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        let bytes = Array((text + "GET /b HTTP/1.1\r\n").utf8)
        #expect(try HeadParser.requests(Limits()).parse(bytes.span, into: &head) == text.utf8.count)
        #expect(head.fields.count == 1)
    }

    @Test func `a head used again remembers nothing`() throws {
        var head = try parseRequest("PUT http://hub/a?b HTTP/1.0\r\nHost: hub\r\n\r\n")
        let parser = HeadParser.requests(Limits())
        let next = Array("GET / HTTP/1.1\r\nHost: b\r\n\r\n".utf8)
        _ = try parser.parse(next.span, into: &head)
        #expect(head.method == .get && head.version == .http11 && !head.isAbsoluteForm)
        #expect(head.authority().isEmpty && head.query().isEmpty)
        #expect(lines(head.fields) == ["Host: b"])
        #expect(throws: MessageError.self) { try parser.parse(Array("X\n".utf8).span, into: &head) }
        #expect(head.fields.isEmpty && head.methodName().isEmpty && head.target().isEmpty)
        #expect(
            try parser.parse(Array("GET /a HTTP/1.1\r\nX: y\r\n".utf8).span, into: &head) == nil)
        #expect(head.fields.isEmpty && head.path().isEmpty && head.query().isEmpty)
    }

    @Test(arguments: [
        ("GET /\r\n\r\n", MessageError.Rule.requestLine),
        ("GET / HTTP/2.0\r\n\r\n", .version), ("GET / HTTP/1.2\r\n\r\n", .version),
        ("GET / HTTP/1.10\r\n\r\n", .requestLine), ("GET / http/1.1\r\n\r\n", .requestLine),
        ("CONNECT a:1 HTTP/1.1\r\n\r\n", .method), ("TRACE / HTTP/1.1\r\n\r\n", .method),
        ("OPTIONS * HTTP/1.1\r\n\r\n", .target), ("GET /a#b HTTP/1.1\r\n\r\n", .target),
        ("GET /\u{E9} HTTP/1.1\r\n\r\n", .target), ("GET /a\tb HTTP/1.1\r\n\r\n", .target),
        ("GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed), ("GET /\n", .bareLineFeed),
        ("G\nT", .bareLineFeed), ("\r\r", .bareLineFeed),
        ("GET / HTTP/1.1\r\n\r\n", .host), ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .host),
        ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", .host),
        ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", .authorityMismatch),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", .fieldName),
        ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", .obsoleteFolding),
        ("GET / HTTP/1.1\r\nHost: a\u{1}\r\n\r\n", .fieldValue),
        ("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\n\u{7F}: a\r\n\r\n", .fieldName),
    ])
    func `what is broken is named`(text: String, expected: MessageError.Rule) {
        #expect(rule(text) == expected)
    }

    @Test func `a wrong byte is told without waiting for the next`() {
        for text in ["\n", " ", "GET\n", "GET /\u{1}", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\n "] {
            #expect(rule(text) != nil, "\(text.debugDescription)")
        }
        let start = "GET / HTTP/1.1\r\nHost: a"
        for text in ["\n", "\0", "\rX", "\r\n\rX", "\r\n:", "\r\nX y"] {
            #expect(rule(start + text) != nil, "\(text.debugDescription)")
        }
    }

    @Test func `a request line may have as many bytes as its limit and no more`() throws {
        let limits = limits { $0.requestLine = 100 }
        let fixed = "GET / HTTP/1.1".utf8.count
        let path = String(repeating: "a", count: 100 - fixed)
        let good = "GET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(rule(good, limits: limits) == nil)
        #expect(rule("\r\n" + good, limits: limits) == nil)
        #expect(rule("GET /\(path)a HTTP/1.1\r\n", limits: limits) == .requestLineTooLong)
        #expect(rule("GET /\(path)\(path)", limits: limits) == .requestLineTooLong)
        let parser = HeadParser.requests(limits)
        for count in 0..<good.utf8.count {
            var head = RequestHead()
            #expect(try parser.parse(Array(Array(good.utf8)[..<count]).span, into: &head) == nil)
            let late = Array(Array(("\r\n" + good).utf8)[..<count])
            #expect(try parser.parse(late.span, into: &head) == nil)
        }
    }

    @Test func `a head may have as many bytes as its limit and no more`() throws {
        let limits = limits { $0.requestHead = 100 }
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let value = String(repeating: "b", count: 96 - start.utf8.count)
        let good = start + value + "\r\n\r\n"
        #expect(good.utf8.count == 100)
        #expect(rule(good, limits: limits) == nil)
        #expect(rule(start + value + "b\r\n\r\n", limits: limits) == .headTooLarge)
        #expect(rule(start + value + value, limits: limits) == .headTooLarge)
        for count in 0..<100 {
            var head = RequestHead()
            let part = Array(Array(good.utf8)[..<count])
            #expect(try HeadParser.requests(limits).parse(part.span, into: &head) == nil)
        }
    }

    @Test func `a head may have as many fields as its limit and no more`() {
        let limits = limits { $0.requestFields = 3 }
        #expect(rule("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\n\r\n", limits: limits) == nil)
        let four = "GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\nC:\r\n\r\n"
        #expect(rule(four, limits: limits) == .tooManyFields)
    }

    @Test func `the limits are those that are documented`() {
        let path = String(repeating: "a", count: 8192)
        #expect(rule("GET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n") == .requestLineTooLong)
        let long = String(repeating: "a", count: 32 * 1024)
        #expect(rule("GET / HTTP/1.1\r\nHost: a\r\nX: \(long)\r\n\r\n") == .headTooLarge)
        let name = "GET / HTTP/1.1\r\nHost: a\r\n" + long
        #expect(rule(name + ": b\r\n\r\n") == .headTooLarge)
        let many = String(repeating: "X: y\r\n", count: 128)
        #expect(rule("GET / HTTP/1.1\r\nHost: a\r\n\(many)\r\n") == .tooManyFields)
    }
}

/// A connection parses its heads into the same place: what a head before it said must not show.
@Suite struct HeadAfterHeadTests {
    private static let heads = [
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nCookie: a=b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: yz\r\nCookie: a=b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y \r\nCookie: a=b\r\nUpgrade: c\r\n\r\n",
        "POST /longer?query HTTP/1.1\r\nHost: a\r\nX: y\r\nCookie: a=b\r\nA:b\r\n\r\n",
        "GET /longer HTTP/1.1\r\nhost: a\r\nX_Forwarded_For: y\r\nCookie: a=b\r\n\r\n",
        "GET / HTTP/1.0\r\nX: y\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ]
    private static let pairs = heads.flatMap { one in heads.map { (one, $0) } }

    @Test(arguments: pairs)
    func `a head is read the same whatever came before`(before: String, text: String) throws {
        let bytes = Array(text.utf8)
        let parser = HeadParser.requests(Limits())
        var head = try parseRequest(before)
        #expect(try parser.parse(bytes.span, into: &head) == bytes.count)
        let fresh = try parseRequest(text)
        #expect(lines(head.fields) == lines(fresh.fields))
        #expect(head.target().repairedText == fresh.target().repairedText)
        for name in FieldName.allCases {
            #expect(head.fields.firstIndex(of: name) == fresh.fields.firstIndex(of: name))
        }
        for index in fresh.fields.indices {
            #expect(head.fields[index].resembles == fresh.fields[index].resembles)
        }
        for count in 0..<bytes.count {
            var head = try parseRequest(before)
            let part = Array(bytes[..<count])
            #expect(try parser.parse(part.span, into: &head) == nil)
            #expect(head.fields.isEmpty && head.fields.firstIndex(of: .host) == nil)
            #expect(try parser.parse(bytes.span, into: &head) == bytes.count)
            #expect(lines(head.fields) == lines(fresh.fields))
        }
    }

    @Test func `lines that come again count for the limit`() throws {
        var head = try parseRequest("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\n\r\n")
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\n\r\n".utf8)
        let parser = HeadParser.requests(limits { $0.requestFields = 2 })
        #expect(throws: MessageError.self) { try parser.parse(bytes.span, into: &head) }
        #expect(head.fields.isEmpty)
    }

    @Test func `a head of our own is no pattern for one that comes`() throws {
        var head = RequestHead("GET", target: "/", authority: "a")
        // Without its colon and its CRLF the line of our own would go on as it begins.
        let bytes = Array("GET / HTTP/1.1\r\nHosta\r\n\r\n".utf8)
        let parser = HeadParser.requests(Limits())
        #expect(throws: MessageError.self) { try parser.parse(bytes.span, into: &head) }
        var known = try parseRequest("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n")
        known.fields.append("Z", "1")
        let again = Array("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nZ1: \r\n\r\n".utf8)
        #expect(try parser.parse(again.span, into: &known) == again.count)
        #expect(lines(known.fields) == ["Host: a", "X: y", "Z1: "])
    }
}

@Suite struct ResponseHeadParserTests {
    @Test func `a response comes apart`() throws {
        let head = try response("404 Not  Found", "A: 1", "Set-Cookie: a=b", "Set-Cookie: c=d")
        #expect(head.status == 404 && head.reason().repairedText == "Not  Found")
        #expect(lines(head.fields) == ["A: 1", "Set-Cookie: a=b", "Set-Cookie: c=d"])
        #expect(try response("200").reason().isEmpty)
        #expect(try response("200 ").reason().isEmpty)
    }

    @Test(arguments: [
        ("<html>\r\n\r\n", MessageError.Rule.bareLineFeed), ("SSH-2.0-OpenSSH\r\n", .statusLine),
        ("HTTP/2.0 200 OK\r\n\r\n", .statusLine), ("HTTP/1.1 99 OK\r\n\r\n", .statusLine),
        ("HTTP/1.1 600 OK\r\n\r\n", .statusLine), ("HTTP/1.1 2000 OK\r\n\r\n", .statusLine),
        ("HTTP/1.1 200 O\0K\r\n\r\n", .statusLine), ("HTTP/1.1 200 OK\n\n", .bareLineFeed),
        ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", .fieldName), ("\r\nHTTP/1.1 200\r\n", .bareLineFeed),
        ("HTTP/1.1 200 OK\r\nA: b\n\r\n", .bareLineFeed),
    ])
    func `what is broken is named`(text: String, expected: MessageError.Rule) {
        #expect(responseRule(text) == expected)
    }

    @Test func `a head has its limits`() {
        let limits = limits {
            $0.responseHead = 64
            $0.responseFields = 2
        }
        let long = String(repeating: "a", count: 64)
        #expect(responseRule("HTTP/1.1 200 \(long)\r\n\r\n", limits: limits) == .headTooLarge)
        #expect(responseRule("HTTP/1.1 200 OK\r\nA: \(long)", limits: limits) == .headTooLarge)
        #expect(responseRule("HTTP/1.1 200 OK\r\nA:\r\nB:\r\n\r\n", limits: limits) == nil)
        #expect(
            responseRule("HTTP/1.1 200 OK\r\nA:\r\nB:\r\nC:\r\n\r\n", limits: limits)
                == .tooManyFields)
    }
}
