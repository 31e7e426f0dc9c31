import GatehouseBase
import Testing

@testable import GatehouseHTTP

/// What came of a chunked body, fed in pieces.
private struct Decoded: Equatable {
    var body: [UInt8] = []
    var trailers: [String] = []
    var rest = 0
    var isEnd = false
    var rule: MessageError.Rule?
}

/// Feeds `bytes`, cut at `cuts`, the way a connection does: what is not consumed comes again.
private func decode(
    _ text: String, cuts: [Int] = [], limits: Limits = Limits()
) -> Decoded {
    let bytes = Array(text.utf8)
    var decoder = ChunkedDecoder(limits)
    var result = Decoded()
    var held: [UInt8] = []
    let bounds = [0] + cuts + [bytes.count]
    for (start, end) in zip(bounds, bounds.dropFirst()) {
        held += bytes[start..<end]
        var isWaiting = false
        while !isWaiting, !result.isEnd {
            do {
                let step = try decoder.decode(held.span)
                result.body += held[step.skipped..<step.skipped + step.payload]
                held.removeFirst(step.skipped + step.payload)
                result.isEnd = step.isEnd
                isWaiting = step.skipped + step.payload == 0
            } catch {
                result.rule = error.rule
                return result
            }
        }
    }
    result.rest = held.count
    for index in decoder.trailers.indices {
        let name = decoder.trailers.name(at: index).repairedText
        result.trailers.append("\(name)=\(decoder.trailers.value(at: index).repairedText)")
    }
    return result
}

private let good: [(String, String, [String])] = [
    ("0\r\n\r\n", "", []),
    ("5\r\nhello\r\n0\r\n\r\n", "hello", []),
    ("1\r\na\r\n00a\r\n0123456789\r\n0\r\n\r\n", "a0123456789", []),
    ("A\r\n0123456789\r\n000\r\n\r\n", "0123456789", []),
    ("000000000000001\r\na\r\n0\r\n\r\n", "a", []),
    ("2;a\r\n\r\n\r\n0;b=c\r\n\r\n", "\r\n", []),
    ("2 ; a = b ;c\t=\t\"x\\\"; \t\" ; d\r\nhi\r\n0\r\n\r\n", "hi", []),
    ("2;a=\"\"\r\nhi\r\n0\r\n\r\n", "hi", []),
    (
        "1\r\na\r\n0\r\nX-Sum: 7\r\nServer-Timing: a;b\r\n\r\n", "a",
        ["X-Sum=7", "Server-Timing=a;b"]
    ),
    ("0\r\nEmpty:\r\n\r\n", "", ["Empty="]),
]

private let bad: [(String, MessageError.Rule)] = [
    ("\r\n", .chunk), ("\n", .chunk), (" 5\r\nhello", .chunk), ("g\r\n", .chunk),
    ("+5\r\nhello", .chunk), ("-5\r\nhello", .chunk), ("0x5\r\nhello", .chunk),
    ("5\nhello", .chunk), ("5\rhello", .chunk), ("5 \r\nhello", .chunk), ("5\t\r\nhello", .chunk),
    ("5,5\r\nhello", .chunk), ("5_0\r\n", .chunk), ("5.\r\n", .chunk), ("5h\r\n", .chunk),
    ("0000000000000001\r\na", .chunk), ("ffffffffffffffff\r\n", .chunk),
    ("5\r\nhelloX", .chunk), ("5\r\nhello\n", .chunk), ("5\r\nhello\rX", .chunk),
    ("5\r\nhello\r\n\r\n", .chunk), ("5\r\nhello0\r\n\r\n", .chunk),
    ("5;\r\nhello", .chunk), ("5;a \r\nhello", .chunk), ("5;=b\r\nhello", .chunk),
    ("5;a=\r\nhello", .chunk), ("5;a=\"b\r\nhello", .chunk), ("5;a=\"b\"c\r\nhello", .chunk),
    ("5;a\nhello", .chunk), ("5;a\0\r\nhello", .chunk), ("5;a=\"\u{7F}\"\r\n", .chunk),
    ("5;a b\r\nhello", .chunk), ("5;a=\"\\\r\n\"\r\nhello", .chunk), ("5;a=b=c\r\nhello", .chunk),
    ("0\r\n\n", .bareLineFeed), ("0\r\n\rX", .chunk), ("0\r\nA: b\n\r\n", .bareLineFeed),
    ("0\r\nA: b\rX\r\n\r\n", .bareLineFeed), ("0\r\nA: b\r\n\n", .bareLineFeed),
    ("0\r\nA : b\r\n\r\n", .fieldName), ("0\r\n: b\r\n\r\n", .fieldName),
    ("0\r\nA: b\r\n c\r\n\r\n", .obsoleteFolding), ("0\r\nA: b\0\r\n\r\n", .fieldValue),
    ("0\r\nA\r\n\r\n", .fieldName),
]

@Suite struct ChunkedDecoderTests {
    @Test(arguments: good.indices)
    func `a body comes out whole wherever it was split`(index: Int) {
        let (text, body, trailers) = good[index]
        let whole = decode(text)
        #expect(whole.rule == nil)
        #expect(whole.isEnd)
        #expect(whole.rest == 0)
        #expect(whole.body == Array(body.utf8))
        #expect(whole.trailers == trailers)
        for first in 0...text.utf8.count {
            #expect(decode(text, cuts: [first]) == whole)
            for second in first...text.utf8.count {
                #expect(decode(text, cuts: [first, second]) == whole)
            }
        }
        #expect(decode(text, cuts: Array(0...text.utf8.count)) == whole)
    }

    @Test(arguments: good.indices)
    func `a body that breaks off has no end`(index: Int) {
        let text = good[index].0
        for count in 0..<text.utf8.count {
            let part = decode(String(decoding: Array(text.utf8)[..<count], as: UTF8.self))
            #expect(!part.isEnd && part.rule == nil)
        }
    }

    @Test(arguments: bad.indices)
    func `what is not the grammar is refused wherever it was split`(index: Int) {
        let (text, rule) = bad[index]
        #expect(decode(text).rule == rule, "\(text.debugDescription)")
        for cut in 0...text.utf8.count {
            let result = decode(text, cuts: [cut])
            #expect(result.rule == rule && !result.isEnd, "\(text.debugDescription) at \(cut)")
        }
    }

    @Test func `what follows the body is left alone`() {
        let result = decode("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n")
        #expect(result.isEnd)
        #expect(result.rest == 16)
    }

    @Test func `nothing more is taken after the end`() throws {
        var decoder = ChunkedDecoder(Limits())
        let bytes = Array("0\r\n\r\nabc".utf8)
        #expect(try decoder.decode(bytes.span) == .init(skipped: 5, payload: 0, isEnd: true))
        let rest = Array("abc".utf8)
        #expect(try decoder.decode(rest.span) == .init(skipped: 0, payload: 0, isEnd: true))
    }

    @Test func `framing and payload come in one step`() throws {
        var decoder = ChunkedDecoder(Limits())
        let bytes = Array("5\r\nhello\r\n3\r\nab".utf8)
        #expect(try decoder.decode(bytes.span) == .init(skipped: 3, payload: 5, isEnd: false))
        let rest = Array(bytes[8...])
        #expect(try decoder.decode(rest.span) == .init(skipped: 5, payload: 2, isEnd: false))
    }

    @Test func `a size line may have as many bytes as its limit and no more`() {
        var limits = Limits()
        limits.chunkLine = 16
        // The line with its CRLF counts.
        #expect(decode("1;aaaaaaaaaaaa\r\nx\r\n0\r\n\r\n", limits: limits).isEnd)
        let long = decode("1;aaaaaaaaaaaaa\r\nx\r\n0\r\n\r\n", limits: limits)
        #expect(long.rule == .chunkLineTooLong)
    }

    @Test func `trailers may have as many bytes as their limit and no more`() {
        var limits = Limits()
        limits.trailers = 10
        #expect(decode("0\r\nA: bcd\r\n\r\n", limits: limits).isEnd)
        #expect(decode("0\r\nA: bcde\r\n\r\n", limits: limits).rule == .headTooLarge)
        let endless = "0\r\nA: " + String(repeating: "b", count: 100)
        #expect(decode(endless, limits: limits).rule == .headTooLarge)
    }

    @Test func `trailers have a limit of lines`() {
        var limits = Limits()
        limits.requestFields = 2
        #expect(decode("0\r\na:1\r\nb:2\r\n\r\n", limits: limits).isEnd)
        #expect(decode("0\r\na:1\r\nb:2\r\nc:3\r\n\r\n", limits: limits).rule == .tooManyFields)
    }
}

@Suite struct ChunkEncoderTests {
    @Test func `what is encoded decodes to the same`() {
        var buffer = ByteBuffer()
        let parts = ["hello", "", String(repeating: "x", count: 300), "\r\n0\r\n\r\n"]
        for part in parts { buffer.appendChunk(Array(part.utf8).span) }
        var trailers = Fields()
        trailers.append("X-Sum", "12")
        buffer.appendLastChunk(trailers: trailers)
        let result = decode(buffer.readable.repairedText)
        #expect(result.isEnd && result.rest == 0)
        #expect(result.body == Array(parts.joined().utf8))
        #expect(result.trailers == ["X-Sum=12"])
    }

    @Test func `an empty chunk is not written, for it would be the last`() {
        var buffer = ByteBuffer()
        buffer.appendChunk(Span())
        let count = buffer.count
        #expect(count == 0)
    }

    @Test func `chunks have the shape of RFC 9112`() {
        var buffer = ByteBuffer()
        buffer.appendChunk(Array(repeating: 0x61, count: 26).span)
        buffer.appendChunkStart(1)
        buffer.append(0x62)
        buffer.appendChunkEnd()
        buffer.appendLastChunk()
        let expected = "1a\r\n" + String(repeating: "a", count: 26) + "\r\n1\r\nb\r\n0\r\n\r\n"
        #expect(buffer.readable.repairedText == expected)
    }
}
