import GatehouseBase
import Testing

@testable import GatehouseHTTP

/// What a reader of a whole message says: its head anew, and how its body ends.
private struct Reading: Equatable {
    var text: [String] = []
    var length: Int?
    var framing: BodyFraming?
    var isRefused = false
}

private func readRequest(_ bytes: [UInt8], _ head: inout RequestHead) -> Reading {
    var reading = Reading()
    do {
        reading.length = try HeadParser.requests(Limits()).parse(bytes.span, into: &head)
        guard reading.length != nil else { return reading }
        reading.framing = try BodyFraming.of(head)
        reading.text = [
            head.methodName().repairedText, head.target().repairedText, "\(head.version)",
        ]
        reading.text += lines(head.fields)
    } catch {
        reading.isRefused = true
    }
    return reading
}

private func readResponse(_ bytes: [UInt8], _ head: inout ResponseHead) -> Reading {
    var reading = Reading()
    do {
        reading.length = try HeadParser.responses(Limits()).parse(bytes.span, into: &head)
        guard reading.length != nil else { return reading }
        reading.framing = try BodyFraming.of(head, to: .get)
        reading.text = ["\(head.status)", head.reason().repairedText, "\(head.version)"]
        reading.text += lines(head.fields)
    } catch {
        reading.isRefused = true
    }
    return reading
}

@Suite struct CorpusTests {
    @Test func `the corpus is there`() {
        #expect(Corpus.cases("reject", "request-").count >= 150)
        #expect(Corpus.cases("reject", "response-").count >= 30)
        #expect(Corpus.cases("accept", "request-").count >= 40)
        #expect(Corpus.cases("accept", "response-").count >= 15)
    }

    @Test(arguments: Corpus.cases("reject", "request-"))
    func `a request that is not the grammar is refused, however it is split`(file: Corpus.Case) {
        var head = RequestHead()
        #expect(readRequest(file.bytes, &head).isRefused)
        // What came first is never taken for a whole; what follows is shown together with it.
        for cut in file.bytes.indices {
            let first = readRequest(Array(file.bytes[..<cut]), &head)
            #expect(first.isRefused || first.length == nil, "cut at \(cut)")
            #expect(readRequest(file.bytes, &head).isRefused)
        }
    }

    @Test(arguments: Corpus.cases("reject", "response-"))
    func `a response that is not the grammar is refused, however it is split`(file: Corpus.Case) {
        var head = ResponseHead()
        #expect(readResponse(file.bytes, &head).isRefused)
        for cut in file.bytes.indices {
            let first = readResponse(Array(file.bytes[..<cut]), &head)
            #expect(first.isRefused || first.length == nil, "cut at \(cut)")
            #expect(readResponse(file.bytes, &head).isRefused)
        }
    }

    @Test(arguments: Corpus.cases("accept", "request-"))
    func `a good request is taken, however it is split`(file: Corpus.Case) throws {
        var head = RequestHead()
        let whole = readRequest(file.bytes, &head)
        #expect(!whole.isRefused)
        let length = try #require(whole.length)
        for cut in file.bytes.indices {
            var head = RequestHead()
            let first = readRequest(Array(file.bytes[..<cut]), &head)
            #expect(!first.isRefused, "cut at \(cut)")
            #expect((first.length == nil) == (cut < length), "cut at \(cut)")
            #expect(readRequest(file.bytes, &head) == whole)
        }
    }

    @Test(arguments: Corpus.cases("accept", "response-"))
    func `a good response is taken, however it is split`(file: Corpus.Case) throws {
        var head = ResponseHead()
        let whole = readResponse(file.bytes, &head)
        #expect(!whole.isRefused)
        let length = try #require(whole.length)
        for cut in file.bytes.indices {
            var head = ResponseHead()
            let first = readResponse(Array(file.bytes[..<cut]), &head)
            #expect(!first.isRefused, "cut at \(cut)")
            #expect((first.length == nil) == (cut < length), "cut at \(cut)")
            #expect(readResponse(file.bytes, &head) == whole)
        }
    }

    @Test(arguments: Corpus.cases("accept", "request-"))
    func `a good request written anew reads the same`(file: Corpus.Case) throws {
        var head = RequestHead()
        let reading = readRequest(file.bytes, &head)
        var buffer = ByteBuffer()
        buffer.appendRequestLine(of: head)
        buffer.append(head.fields)
        if head.fields.firstIndex(of: .host) == nil {
            buffer.appendField(.host, Array("a".utf8).span)
        }
        buffer.appendHeadEnd()
        var again = RequestHead()
        let second = readRequest(buffer.readable.array, &again)
        #expect(second.length == buffer.count)
        #expect(second.text[0...1] == reading.text[0...1])
        #expect(second.text[3...].prefix(reading.text.count - 3) == reading.text[3...])
    }
}
