public import GatehouseBase

/// Request and response heads of HTTP/1 (RFC 9112 §2–5): two roles, one grammar.
///
/// One pass over the bytes; whatever is not exactly the grammar is an error. Leniencies that the
/// RFC allows are not taken, but for one: an empty line before a request (§2.2).
public struct HeadParser: Sendable {
    let maximumLine: Int
    let maximumHead: Int
    let maximumFields: Int

    /// Limits for what clients send.
    public static func requests(_ limits: Limits) -> HeadParser {
        HeadParser(
            maximumLine: limits.requestLine, maximumHead: limits.requestHead,
            maximumFields: limits.requestFields)
    }

    /// Limits for what upstreams send.
    public static func responses(_ limits: Limits) -> HeadParser {
        HeadParser(
            maximumLine: limits.responseHead, maximumHead: limits.responseHead,
            maximumFields: limits.responseFields)
    }

    /// Reads a request head.
    /// - Returns: its length in bytes, or nil while it is incomplete.
    public func parse(
        _ bytes: borrowing Span<UInt8>, into head: inout RequestHead
    ) throws(MessageError) -> Int? {
        head.fields.removeAll()
        var start = 0
        if bytes.count >= 2, bytes[0] == 0x0D, bytes[1] == 0x0A { start = 2 }
        guard let line = try lineEnd(bytes, from: start) else {
            return try incomplete(bytes, lineLimit: maximumLine, whole: .requestLineTooLong)
        }
        guard line - start <= maximumLine else { throw MessageError(.requestLineTooLong) }
        try parseRequestLine(bytes, start..<line, into: &head)
        guard let end = try parseFields(bytes, from: line + 2, into: &head.fields) else {
            return try incomplete(bytes, lineLimit: maximumHead, whole: .headTooLarge)
        }
        head.fields.adopt(bytes.extracting(0..<end))
        try checkHost(&head)
        return end
    }

    /// Reads a response head.
    /// - Returns: its length in bytes, or nil while it is incomplete.
    public func parse(
        _ bytes: borrowing Span<UInt8>, into head: inout ResponseHead
    ) throws(MessageError) -> Int? {
        head.fields.removeAll()
        guard let line = try lineEnd(bytes, from: 0) else {
            return try incomplete(bytes, lineLimit: maximumLine, whole: .headTooLarge)
        }
        try parseStatusLine(bytes, line, into: &head)
        guard let end = try parseFields(bytes, from: line + 2, into: &head.fields) else {
            return try incomplete(bytes, lineLimit: maximumHead, whole: .headTooLarge)
        }
        head.fields.adopt(bytes.extracting(0..<end))
        return end
    }

    /// Reads a trailer section (RFC 9112 §7.1.2).
    /// - Returns: its length with the empty line, or nil while it is incomplete.
    public func parseTrailers(
        _ bytes: borrowing Span<UInt8>, into fields: inout Fields
    ) throws(MessageError) -> Int? {
        fields.removeAll()
        guard let end = try parseFields(bytes, from: 0, into: &fields) else {
            return try incomplete(bytes, lineLimit: maximumHead, whole: .headTooLarge)
        }
        fields.adopt(bytes.extracting(0..<end))
        return end
    }

    // MARK: Lines

    private func incomplete(
        _ bytes: borrowing Span<UInt8>, lineLimit: Int, whole rule: MessageError.Rule
    ) throws(MessageError) -> Int? {
        guard bytes.count <= lineLimit else { throw MessageError(rule, at: bytes.count) }
        guard bytes.count <= maximumHead else {
            throw MessageError(.headTooLarge, at: bytes.count)
        }
        return nil
    }

    /// The place of the CR of the line that begins at `start`; nil while it has none.
    private func lineEnd(
        _ bytes: borrowing Span<UInt8>, from start: Int
    ) throws(MessageError) -> Int? {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x20 {
                if byte == 0x0D {
                    guard index + 1 < bytes.count else { return nil }
                    guard bytes[index + 1] == 0x0A else {
                        throw MessageError(.bareLineFeed, at: index)
                    }
                    return index
                }
                if byte == 0x0A { throw MessageError(.bareLineFeed, at: index) }
                if byte != 0x09 { throw MessageError(.requestLine, at: index) }
            }
            index += 1
        }
        return nil
    }

    /// method SP request-target SP HTTP-version (RFC 9112 §3).
    private func parseRequestLine(
        _ bytes: borrowing Span<UInt8>, _ line: Range<Int>, into head: inout RequestHead
    ) throws(MessageError) {
        var index = line.lowerBound
        while index < line.upperBound, ASCII.isToken(bytes[index]) { index += 1 }
        guard index > line.lowerBound, index < line.upperBound, bytes[index] == 0x20 else {
            throw MessageError(.requestLine, at: index)
        }
        head.methodRange = line.lowerBound..<index
        head.method = Method(bytes.extracting(head.methodRange))
        let target = index + 1
        index = target
        while index < line.upperBound, bytes[index] != 0x20 {
            guard ASCII.isTarget(bytes[index]) else { throw MessageError(.target, at: index) }
            index += 1
        }
        guard index > target, index < line.upperBound else {
            throw MessageError(.requestLine, at: index)
        }
        head.version = try version(bytes.extracting(index + 1..<line.upperBound), at: index + 1)
        try parseTarget(bytes, target..<index, into: &head)
    }

    private func version(
        _ bytes: borrowing Span<UInt8>, at offset: Int
    ) throws(MessageError) -> Version {
        if bytes.equals("HTTP/1.1") { return .http11 }
        if bytes.equals("HTTP/1.0") { return .http10 }
        let isHTTP =
            bytes.count == 8 && bytes.extracting(0..<5).equals("HTTP/")
            && ASCII.isDigit(bytes[5]) && bytes[6] == 0x2E && ASCII.isDigit(bytes[7])
        throw MessageError(isHTTP ? .version : .requestLine, at: offset)
    }

    /// Origin form and absolute form; the others end here (RFC 9112 §3.2).
    private func parseTarget(
        _ bytes: borrowing Span<UInt8>, _ target: Range<Int>, into head: inout RequestHead
    ) throws(MessageError) {
        guard head.method != .connect, head.method != .trace else {
            throw MessageError(.method, at: target.lowerBound)
        }
        var path = target.lowerBound
        head.isAbsoluteForm = bytes[path] != 0x2F
        if head.isAbsoluteForm {
            let text = bytes.extracting(target)
            let scheme =
                text.count >= 7 && text.extracting(0..<7).equalsIgnoringCase("http://")
                ? 7
                : text.count >= 8 && text.extracting(0..<8).equalsIgnoringCase("https://") ? 8 : 0
            guard scheme > 0 else { throw MessageError(.target, at: path) }
            path += scheme
            let authority = path
            while path < target.upperBound, bytes[path] != 0x2F, bytes[path] != 0x3F { path += 1 }
            // `http://host` and `http://host?query` have no path that could be forwarded as it is.
            guard path > authority, path < target.upperBound, bytes[path] == 0x2F else {
                throw MessageError(.target, at: path)
            }
            head.authorityRange = authority..<path
        }
        head.targetRange = path..<target.upperBound
        var query = path
        while query < target.upperBound, bytes[query] != 0x3F { query += 1 }
        head.pathRange = path..<query
    }

    /// HTTP-version SP 3DIGIT SP [ reason ] (RFC 9112 §4). The SP before an absent reason may be
    /// missing: a recipient is not asked to insist.
    private func parseStatusLine(
        _ bytes: borrowing Span<UInt8>, _ end: Int, into head: inout ResponseHead
    ) throws(MessageError) {
        guard end >= 12, bytes[8] == 0x20, end == 12 || bytes[12] == 0x20 else {
            throw MessageError(.statusLine)
        }
        guard let version = try? version(bytes.extracting(0..<8), at: 0) else {
            throw MessageError(.statusLine)
        }
        var status = 0
        for index in 9..<12 {
            guard ASCII.isDigit(bytes[index]) else { throw MessageError(.statusLine, at: index) }
            status = status * 10 + Int(bytes[index] - 0x30)
        }
        guard status >= 100, status < 600 else { throw MessageError(.statusLine, at: 9) }
        head.version = version
        head.status = status
        head.reasonRange = min(13, end)..<end
        for index in head.reasonRange where !ASCII.isFieldValue(bytes[index]) {
            throw MessageError(.statusLine, at: index)
        }
    }

    // MARK: Fields

    /// field-line CRLF … CRLF (RFC 9112 §5).
    /// - Returns: the offset after the empty line, or nil while there is none.
    private func parseFields(
        _ bytes: borrowing Span<UInt8>, from start: Int, into fields: inout Fields
    ) throws(MessageError) -> Int? {
        var index = start
        let count = bytes.count
        while true {
            guard index < count else { return nil }
            if bytes[index] == 0x0D {
                guard index + 1 < count else { return nil }
                guard bytes[index + 1] == 0x0A else { throw MessageError(.bareLineFeed, at: index) }
                guard index + 2 <= maximumHead else { throw MessageError(.headTooLarge, at: index) }
                return index + 2
            }
            let name = index
            while index < count, ASCII.isToken(bytes[index]) { index += 1 }
            guard index < count else { return nil }
            guard index > name, bytes[index] == 0x3A, index - name < 1 << 16 else {
                throw MessageError(nameRule(bytes, name, index), at: index)
            }
            let nameEnd = index
            index += 1
            while index < count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
            let value = index
            while index < count, ASCII.isFieldValue(bytes[index]) { index += 1 }
            guard index + 1 < count else { return nil }
            guard bytes[index] == 0x0D, bytes[index + 1] == 0x0A else {
                let isLine = bytes[index] == 0x0A || bytes[index] == 0x0D
                throw MessageError(isLine ? .bareLineFeed : .fieldValue, at: index)
            }
            var valueEnd = index
            while valueEnd > value, bytes[valueEnd - 1] == 0x20 || bytes[valueEnd - 1] == 0x09 {
                valueEnd -= 1
            }
            guard fields.count < maximumFields else {
                throw MessageError(.tooManyFields, at: name)
            }
            let classified = FieldName.classify(bytes.extracting(name..<nameEnd))
            fields.add(
                name: name..<nameEnd, value: value..<valueEnd, name: classified.name,
                resembles: classified.resembles)
            index += 2
        }
    }

    private func nameRule(
        _ bytes: borrowing Span<UInt8>, _ start: Int, _ index: Int
    ) -> MessageError.Rule {
        guard index == start else { return .fieldName }
        switch bytes[index] {
        case 0x20, 0x09: return .obsoleteFolding
        case 0x0A: return .bareLineFeed
        default: return .fieldName
        }
    }

    // MARK: Host

    /// Exactly one Host, well-formed, and the same authority as an absolute-form target names
    /// (RFC 9112 §3.2). HTTP/1.0 may come without.
    private func checkHost(_ head: inout RequestHead) throws(MessageError) {
        guard let host = head.fields.firstIndex(of: .host) else {
            guard head.version == .http10, !head.isAbsoluteForm else {
                throw MessageError(.host)
            }
            return
        }
        guard head.fields.firstIndex(of: .host, from: host + 1) == nil,
            Authority.isValid(head.fields.value(at: host))
        else { throw MessageError(.host) }
        guard head.isAbsoluteForm else { return }
        let authority = head.authority()
        guard Authority.areEqual(authority, head.fields.value(at: host)) else {
            throw MessageError(.authorityMismatch)
        }
    }
}
