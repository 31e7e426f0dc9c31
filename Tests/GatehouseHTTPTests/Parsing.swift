import GatehouseBase
import Testing

@testable import GatehouseHTTP

/// A request head of the given field lines.
func request(
    _ lines: String..., method: String = "GET", version: String = "1.1"
) throws -> RequestHead {
    let text =
        "\(method) /path?query HTTP/\(version)\r\nHost: hub.example\r\n"
        + lines.map { $0 + "\r\n" }.joined() + "\r\n"
    return try parseRequest(text)
}

/// The head that is the whole of `text`.
func parseRequest(_ text: String) throws -> RequestHead {
    var head = RequestHead()
    let bytes = Array(text.utf8)
    let count = try HeadParser.requests(Limits()).parse(bytes.span, into: &head)
    #expect(count == bytes.count)
    return head
}

/// A response head of the given status line and field lines.
func response(_ status: String, _ lines: String...) throws -> ResponseHead {
    let text = "HTTP/1.1 \(status)\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
    var head = ResponseHead()
    let bytes = Array(text.utf8)
    let count = try HeadParser.responses(Limits()).parse(bytes.span, into: &head)
    #expect(count == bytes.count)
    return head
}

/// Field lines of the given text, as a trailer section.
func fields(_ lines: String...) throws -> Fields {
    var fields = Fields()
    let bytes = Array((lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
    _ = try HeadParser.requests(Limits()).parseTrailers(bytes.span, into: &fields)
    return fields
}

/// Name and value of each line.
func lines(_ fields: Fields) -> [String] {
    fields.indices.map {
        "\(fields.name(at: $0).repairedText): \(fields.value(at: $0).repairedText)"
    }
}
