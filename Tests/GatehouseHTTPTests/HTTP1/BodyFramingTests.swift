import GatehouseBase
import Testing

@testable import GatehouseHTTP

private func framing(_ lines: [String], version: String = "1.1") throws -> BodyFraming {
    let all = lines.map { $0 + "\r\n" }.joined()
    return try BodyFraming.of(
        parseRequest("POST / HTTP/\(version)\r\nHost: a\r\n\(all)\r\n"))
}

@Suite struct BodyFramingTests {
    @Test func `a request says how its body ends`() throws {
        #expect(try framing([]) == .none)
        #expect(try framing(["Content-Length: 0"]) == .none)
        #expect(try framing(["Content-Length: 5"]) == .length(5))
        #expect(try framing(["Content-Length: 005"]) == .length(5))
        #expect(
            try framing(["Content-Length: 999999999999999999"]) == .length(999_999_999_999_999_999))
        #expect(try framing(["Transfer-Encoding: Chunked"]) == .chunked)
        #expect(try framing(["Content_Length: 5", "Transfer.Encoding: chunked"]) == .none)
    }

    @Test(arguments: [
        (["Content-Length: 5", "Transfer-Encoding: chunked"], MessageError.Rule.lengthAndEncoding),
        (["Transfer-Encoding: chunked", "Content-Length: 0"], .lengthAndEncoding),
        (["Transfer-Encoding: gzip", "Content-Length: 0"], .lengthAndEncoding),
        (["Content-Length: 5", "Content-Length: 5"], .contentLength),
        (["Content-Length: 5,5"], .contentLength), (["Content-Length: +5"], .contentLength),
        (["Content-Length: -5"], .contentLength), (["Content-Length: 0x5"], .contentLength),
        (["Content-Length: 5 5"], .contentLength), (["Content-Length:"], .contentLength),
        (["Content-Length: 9223372036854775808"], .contentLength),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], .transferEncoding),
        (["Transfer-Encoding: chunked, chunked"], .transferEncoding),
        (["Transfer-Encoding: identity"], .transferEncoding),
        (["Transfer-Encoding:"], .transferEncoding),
    ])
    func `two readers could disagree about anything else`(
        lines: [String], expected: MessageError.Rule
    ) throws {
        #expect(throws: MessageError(expected)) { try framing(lines) }
    }

    @Test func `HTTP 1 0 knows no chunked coding`() throws {
        #expect(throws: MessageError(.transferEncoding)) {
            try framing(["Transfer-Encoding: chunked"], version: "1.0")
        }
        #expect(try framing(["Content-Length: 5"], version: "1.0") == .length(5))
    }

    @Test(arguments: [
        ("200 OK", Method.get, nil, BodyFraming.untilClose),
        ("200 OK", .get, "Content-Length: 5", .length(5)),
        ("200 OK", .get, "Content-Length: 0", .length(0)),
        ("200 OK", .get, "Transfer-Encoding: chunked", .chunked),
        ("200 OK", .head, "Content-Length: 5", .none),
        ("200 OK", .head, "Transfer-Encoding: chunked", .none), ("200 OK", .head, nil, .none),
        ("204 No Content", .get, nil, .none),
        ("304 Not Modified", .get, "Content-Length: 5", .none),
        ("103 Early Hints", .get, nil, .none), ("101 Switching Protocols", .get, nil, .none),
        ("404 Not Found", .post, "Content-Length: 5", .length(5)),
    ])
    func `a response says how its body ends`(
        status: String, method: Method, line: String?, expected: BodyFraming
    ) throws {
        let head = try line.map { try response(status, $0) } ?? response(status)
        #expect(try BodyFraming.of(head, to: method) == expected)
    }

    @Test(arguments: [
        "Content-Length: 5, 5", "Content-Length: -5", "Transfer-Encoding: gzip, chunked",
    ])
    func `a response that contradicts itself is refused, body or not`(line: String) throws {
        let head = try response("200 OK", line)
        #expect(throws: MessageError.self) { try BodyFraming.of(head, to: .get) }
        #expect(throws: MessageError.self) { try BodyFraming.of(head, to: .head) }
    }

    @Test func `after a malformed chunk the body has no end`() throws {
        var decoder = BodyDecoder(.chunked, Limits())
        #expect(throws: MessageError.self) {
            _ = try decoder.decode(Array("GET / HTTP/1.1\r\n\r\n".utf8).span)
        }
        #expect(!decoder.isEnded)
        #expect(throws: MessageError.self) { _ = try decoder.decode(Array("0\r\n\r\n".utf8).span) }
        #expect(!decoder.isEnded)
    }
}
