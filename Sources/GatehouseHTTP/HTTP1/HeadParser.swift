public import GatehouseBase

/// Request and response heads of HTTP/1 (RFC 9112 §2–5): two roles, one grammar.
///
/// One pass over the bytes; whatever is not exactly the grammar is an error, told as soon as the
/// byte is there. Leniencies that the RFC allows are not taken, but for one: an empty line before
/// a request (§2.2). A head that is refused or not complete is left empty.
public struct HeadParser: Sendable {
    let maximumLine: Int
    let maximumHead: Int
    let maximumFields: Int
    var hostMayBeEscaped = false

    /// Limits for what clients send.
    ///
    /// - Parameter hostMayBeEscaped: whether Host may be a percent-encoded name (RFC 3986 §3.2.2),
    ///   as clients of a UNIX socket send its path.
    public static func requests(
        _ limits: Limits, hostMayBeEscaped: Bool = false
    ) -> HeadParser {
        HeadParser(
            maximumLine: limits.requestLine, maximumHead: limits.requestHead,
            maximumFields: limits.requestFields, hostMayBeEscaped: hostMayBeEscaped)
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
        head.startOver()
        do throws(MessageError) {
            let start = startsWithEmptyLine(bytes) ? 2 : 0
            guard let fields = try parseRequestLine(bytes, from: start, into: &head) else {
                head.clear()
                // The CR of a line of the greatest length may have come without its LF.
                return try incomplete(bytes, maximumLine + start + 1, .requestLineTooLong)
            }
            guard fields - 2 - start <= maximumLine else { throw MessageError(.requestLineTooLong) }
            guard let (count, end) = try parseFields(bytes, from: fields, into: &head.fields) else {
                head.clear()
                return try incomplete(bytes, maximumHead, .headTooLarge)
            }
            head.fields.finish(lines: count, bytes.extracting(0..<end))
            try checkHost(head)
            return end
        } catch {
            head.clear()
            throw error
        }
    }

    /// Reads a response head.
    /// - Returns: its length in bytes, or nil while it is incomplete.
    public func parse(
        _ bytes: borrowing Span<UInt8>, into head: inout ResponseHead
    ) throws(MessageError) -> Int? {
        head.startOver()
        do throws(MessageError) {
            guard let fields = try parseStatusLine(bytes, into: &head),
                let (count, end) = try parseFields(bytes, from: fields, into: &head.fields)
            else {
                head.clear()
                return try incomplete(bytes, maximumHead, .headTooLarge)
            }
            head.fields.finish(lines: count, bytes.extracting(0..<end))
            return end
        } catch {
            head.clear()
            throw error
        }
    }

    /// Reads a trailer section (RFC 9112 §7.1.2).
    /// - Returns: its length with the empty line, or nil while it is incomplete.
    public func parseTrailers(
        _ bytes: borrowing Span<UInt8>, into fields: inout Fields
    ) throws(MessageError) -> Int? {
        fields.removeAll()
        do throws(MessageError) {
            guard let (count, end) = try parseFields(bytes, from: 0, into: &fields) else {
                fields.removeAll()
                return try incomplete(bytes, maximumHead, .headTooLarge)
            }
            fields.finish(lines: count, bytes.extracting(0..<end))
            return end
        } catch {
            fields.removeAll()
            throw error
        }
    }

    /// nil, unless so many bytes have come that no end can make them good.
    private func incomplete(
        _ bytes: borrowing Span<UInt8>, _ limit: Int, _ rule: MessageError.Rule
    ) throws(MessageError) -> Int? {
        guard bytes.count <= limit else { throw MessageError(rule, at: bytes.count) }
        guard bytes.count < maximumHead else { throw MessageError(.headTooLarge, at: bytes.count) }
        return nil
    }

    // MARK: First lines

    private func startsWithEmptyLine(_ bytes: borrowing Span<UInt8>) -> Bool {
        bytes.count >= 2 && bytes[0] == 0x0D && bytes[1] == 0x0A
    }

    /// method SP request-target SP HTTP-version CRLF (RFC 9112 §3).
    /// - Returns: the offset after the line, or nil while it has no end.
    private func parseRequestLine(
        _ bytes: borrowing Span<UInt8>, from start: Int, into head: inout RequestHead
    ) throws(MessageError) -> Int? {
        if bytes.count == 1, bytes[0] == 0x0D { return nil }
        let methodEnd = bytes.tokenEnd(from: start)
        guard methodEnd < bytes.count else { return nil }
        guard methodEnd > start, bytes[methodEnd] == 0x20 else {
            throw MessageError(lineRule(bytes[methodEnd], .requestLine), at: methodEnd)
        }
        let target = methodEnd + 1
        let targetEnd = bytes.targetEnd(from: target)
        guard targetEnd < bytes.count else { return nil }
        guard bytes[targetEnd] == 0x20 else {
            let isLine = bytes[targetEnd] == 0x0D
            throw MessageError(
                isLine ? .requestLine : lineRule(bytes[targetEnd], .target), at: targetEnd)
        }
        guard targetEnd > target else { throw MessageError(.requestLine, at: targetEnd) }
        var end = targetEnd + 1
        while end < bytes.count, bytes[end] > 0x20, end - targetEnd <= 9 { end += 1 }
        guard end < bytes.count else { return nil }
        guard bytes[end] == 0x0D else {
            throw MessageError(lineRule(bytes[end], .requestLine), at: end)
        }
        guard try hasLineFeed(bytes, after: end) else { return nil }
        head.version = try version(bytes.extracting(targetEnd + 1..<end), at: targetEnd + 1)
        head.methodRange = start..<methodEnd
        head.method = Method(bytes.extracting(start..<methodEnd))
        try parseTarget(bytes, target..<targetEnd, into: &head)
        return end + 2
    }

    private func version(
        _ bytes: borrowing Span<UInt8>, at offset: Int
    ) throws(MessageError) -> Version {
        guard bytes.count == 8, bytes.extracting(0..<5).equals("HTTP/"), ASCII.isDigit(bytes[5]),
            bytes[6] == 0x2E, ASCII.isDigit(bytes[7])
        else { throw MessageError(.requestLine, at: offset) }
        guard bytes[5] == 0x31, bytes[7] <= 0x31 else { throw MessageError(.version, at: offset) }
        return bytes[7] == 0x31 ? .http11 : .http10
    }

    /// Origin form and absolute form; the others end here (RFC 9112 §3.2).
    private func parseTarget(
        _ bytes: borrowing Span<UInt8>, _ target: Range<Int>, into head: inout RequestHead
    ) throws(MessageError) {
        guard head.method != .connect, head.method != .trace else {
            throw MessageError(.method, at: target.lowerBound)
        }
        var path = target.lowerBound
        if bytes[path] != 0x2F {
            head.isAbsoluteForm = true
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
        head.pathRange = path..<bytes.extracting(0..<target.upperBound).offset(of: 0x3F, from: path)
    }

    /// HTTP-version SP 3DIGIT SP [ reason ] CRLF (RFC 9112 §4). The SP before an absent reason
    /// may be missing: a recipient is not asked to insist.
    /// - Returns: the offset after the line, or nil while it has no end.
    private func parseStatusLine(
        _ bytes: borrowing Span<UInt8>, into head: inout ResponseHead
    ) throws(MessageError) -> Int? {
        let end = bytes.fieldValueEnd(from: 0)
        if end < 12 {
            // Garbage is told early, but not before the line that it stands in has ended.
            guard end < bytes.count else { return nil }
            throw MessageError(lineRule(bytes[end], .statusLine), at: end)
        }
        guard bytes[8] == 0x20 else { throw MessageError(.statusLine, at: 8) }
        let digits = bytes.extracting(9..<12)
        guard let version = try? version(bytes.extracting(0..<8), at: 0),
            ASCII.isDigit(digits[0]), ASCII.isDigit(digits[1]), ASCII.isDigit(digits[2])
        else { throw MessageError(.statusLine) }
        let status =
            Int(digits[0] - 0x30) * 100 + Int(digits[1] - 0x30) * 10 + Int(digits[2] - 0x30)
        guard status >= 100, status < 600 else { throw MessageError(.statusLine, at: 9) }
        guard end == 12 || bytes[12] == 0x20 else { throw MessageError(.statusLine, at: 12) }
        guard end < bytes.count else { return nil }
        guard bytes[end] == 0x0D else {
            throw MessageError(lineRule(bytes[end], .statusLine), at: end)
        }
        guard try hasLineFeed(bytes, after: end) else { return nil }
        head.version = version
        head.status = status
        head.reasonRange = min(13, end)..<end
        return end + 2
    }

    /// Whether the LF after the CR at `index` is there; any other byte is an error.
    private func hasLineFeed(
        _ bytes: borrowing Span<UInt8>, after index: Int
    ) throws(MessageError) -> Bool {
        guard index + 1 < bytes.count else { return false }
        guard bytes[index + 1] == 0x0A else { throw MessageError(.bareLineFeed, at: index) }
        return true
    }

    /// The rule that a wrong byte breaks: lines end in CRLF, before any other rule.
    private func lineRule(_ byte: UInt8, _ rule: MessageError.Rule) -> MessageError.Rule {
        byte == 0x0A || byte == 0x0D ? .bareLineFeed : rule
    }

    // MARK: Fields

    /// field-line CRLF … CRLF (RFC 9112 §5).
    /// - Returns: how many lines there are and the offset after the empty one, or nil while there
    ///   is none.
    private func parseFields(
        _ bytes: borrowing Span<UInt8>, from start: Int, into fields: inout Fields
    ) throws(MessageError) -> (lines: Int, end: Int)? {
        let names = FieldNameIndex.shared
        let count = bytes.count
        var name = start
        var line = 0
        while name < count {
            (line, name) = fields.keep(from: line, at: name, of: bytes)
            guard line <= maximumFields else { throw MessageError(.tooManyFields, at: name) }
            guard name < count else { return nil }
            let nameEnd = bytes.tokenEnd(from: name)
            guard nameEnd < count else { return nil }
            guard nameEnd > name, bytes[nameEnd] == 0x3A else {
                guard nameEnd == name, bytes[name] == 0x0D else {
                    throw MessageError(nameRule(bytes[nameEnd], nameEnd == name), at: nameEnd)
                }
                guard try hasLineFeed(bytes, after: name) else { return nil }
                guard name + 2 <= maximumHead else { throw MessageError(.headTooLarge, at: name) }
                return (line, name + 2)
            }
            var value = nameEnd + 1
            while value < count, bytes[value] == 0x20 || bytes[value] == 0x09 { value += 1 }
            let end = bytes.fieldValueEnd(from: value)
            guard end < count else { return nil }
            guard bytes[end] == 0x0D else {
                throw MessageError(lineRule(bytes[end], .fieldValue), at: end)
            }
            guard try hasLineFeed(bytes, after: end) else { return nil }
            var valueEnd = end
            while valueEnd > value, bytes[valueEnd - 1] == 0x20 || bytes[valueEnd - 1] == 0x09 {
                valueEnd -= 1
            }
            guard line < maximumFields else {
                throw MessageError(.tooManyFields, at: name)
            }
            // A longer name or a later place does not fit an entry; no limit is set so high.
            guard nameEnd - name < 1 << 16, end < 1 << 32 else {
                throw MessageError(.headTooLarge, at: name)
            }
            let classified = names.classify(bytes.extracting(name..<nameEnd))
            fields.set(
                line: line, name: name..<nameEnd, value: value..<valueEnd, name: classified.name,
                resembles: classified.resembles)
            name = end + 2
            line += 1
        }
        return nil
    }

    private func nameRule(_ byte: UInt8, _ isFirst: Bool) -> MessageError.Rule {
        if isFirst, byte == 0x20 || byte == 0x09 { return .obsoleteFolding }
        return byte == 0x0A ? .bareLineFeed : .fieldName
    }

    // MARK: Host

    /// Exactly one Host, well-formed, and the same authority as an absolute-form target names
    /// (RFC 9112 §3.2). HTTP/1.0 may come without.
    private func checkHost(_ head: borrowing RequestHead) throws(MessageError) {
        guard let host = head.fields.firstIndex(of: .host) else {
            guard head.version == .http10, !head.isAbsoluteForm else {
                throw MessageError(.host)
            }
            return
        }
        guard head.fields.firstIndex(of: .host, from: host + 1) == nil,
            Authority.isValid(head.fields.value(at: host), mayBeEscaped: hostMayBeEscaped)
        else { throw MessageError(.host) }
        guard head.isAbsoluteForm else { return }
        guard Authority.areEqual(head.authority(), head.fields.value(at: host)) else {
            throw MessageError(.authorityMismatch)
        }
    }
}
