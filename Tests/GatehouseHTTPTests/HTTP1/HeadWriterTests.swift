import GatehouseBase
import Testing

@testable import GatehouseHTTP

@Suite struct HeadWriterTests {
    @Test func `a request is written anew`() throws {
        let head = try parseRequest(
            "GET http://hub/a%2f?b HTTP/1.0\r\nhost:\thub\r\nX:y \r\n\r\n")
        var buffer = ByteBuffer()
        buffer.appendRequestLine(of: head)
        buffer.append(head.fields)
        buffer.appendField(.xRequestID, Array("1".utf8).span)
        buffer.appendHeadEnd()
        #expect(
            buffer.readable.repairedText
                == "GET /a%2f?b HTTP/1.1\r\nhost: hub\r\nX: y\r\nX-Request-Id: 1\r\n\r\n")
    }

    @Test func `a response is written anew`() throws {
        let head = try response("299 Odd  words", "A:  b")
        var buffer = ByteBuffer()
        buffer.appendStatusLine(head.status, reason: head.reason())
        buffer.append(head.fields)
        buffer.appendHeadEnd()
        #expect(buffer.readable.repairedText == "HTTP/1.1 299 Odd  words\r\nA: b\r\n\r\n")
    }

    @Test func `lines are written alike, in one piece or one by one`() throws {
        var head = try response("200 OK", "A: 1", "B: 2", "C:3", "D: 4 ", "E:\t5", "F: ", "G: 7")
        let text = "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: \r\nG: 7\r\n"
        var buffer = ByteBuffer()
        buffer.append(head.fields)
        #expect(buffer.readable.repairedText == text)
        buffer.removeAll()
        buffer.append(head.fields, lines: 1..<1)
        buffer.append(head.fields, lines: 1..<3)
        buffer.append(head.fields, lines: 6..<7)
        #expect(buffer.readable.repairedText == "B: 2\r\nC: 3\r\nG: 7\r\n")
        head.fields.append("H", "8")
        buffer.removeAll()
        buffer.append(head.fields)
        #expect(buffer.readable.repairedText == text + "H: 8\r\n")
    }

    @Test func `an absent reason is written as the standard phrase`() {
        var buffer = ByteBuffer()
        buffer.appendStatusLine(404, reason: Span())
        buffer.appendStatusLine(599, reason: Span())
        #expect(
            buffer.readable.repairedText == "HTTP/1.1 404 Not Found\r\nHTTP/1.1 599 Status\r\n")
    }

    @Test(arguments: 100..<600)
    func `every phrase is a reason`(status: Int) throws {
        var buffer = ByteBuffer()
        buffer.appendStatusLine(status, reason: Span())
        buffer.appendHeadEnd()
        var head = ResponseHead()
        _ = try HeadParser.responses(Limits()).parse(buffer.readable, into: &head)
        #expect(head.status == status && !head.reason().isEmpty)
    }
}
