public import GatehouseBase

/// The Cookie field (RFC 6265 §4.2): read without copies, forwarded byte for byte.
public enum CookieField {
    /// Where a cookie's value stands in a head.
    public struct Place: Equatable, Sendable {
        /// The field line.
        public let line: Int
        /// The bytes of its value that are the cookie's value.
        public let range: Range<Int>
    }

    /// What a head says about one name.
    public enum Match: Equatable, Sendable {
        case absent
        case one(Place)
        /// Two copies, whatever their values: one of them was planted.
        case several
    }

    /// Looks for the cookie of exactly that name in all Cookie lines.
    public static func find(_ name: StaticString, in fields: borrowing Fields) -> Match {
        var match = Match.absent
        var line = fields.firstIndex(of: .cookie)
        while let index = line {
            var pairs = CookiePairs(fields.value(at: index))
            while let pair = pairs.next() {
                guard pair.name.count == name.utf8CodeUnitCount,
                    fields.value(at: index).extracting(pair.name).equals(name)
                else { continue }
                guard match == .absent else { return .several }
                match = .one(Place(line: index, range: pair.value))
            }
            line = fields.firstIndex(of: .cookie, from: index + 1)
        }
        return match
    }

    /// Shows each cookie whose name begins with exactly `prefix`: what follows the prefix, and
    /// the value.
    public static func forEach(
        withPrefix prefix: StaticString, in fields: borrowing Fields,
        _ body: (_ rest: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>) -> Void
    ) {
        let count = prefix.utf8CodeUnitCount
        var line = fields.firstIndex(of: .cookie)
        while let index = line {
            let value = fields.value(at: index)
            var pairs = CookiePairs(value)
            while let pair = pairs.next() {
                let split = pair.name.lowerBound + count
                guard pair.name.count >= count,
                    value.extracting(pair.name.lowerBound..<split).equals(prefix)
                else { continue }
                body(
                    value.extracting(split..<pair.name.upperBound), value.extracting(pair.value))
            }
            line = fields.firstIndex(of: .cookie, from: index + 1)
        }
    }

    /// Appends a Cookie field's value byte for byte, but for the cookies that `isCut` names, which
    /// go with their separators.
    /// - Parameters:
    ///   - lead: written first, if anything is written.
    ///   - isCut: sees a pair from its name on, as received.
    /// - Returns: false when nothing is left; then nothing is written, not even `lead`.
    public static func append(
        to buffer: inout ByteBuffer, lead: StaticString = "", value: Span<UInt8>,
        cutting isCut: (borrowing Span<UInt8>) -> Bool = ReservedCookies.begin
    ) -> Bool {
        var hasBegun = false
        var pairs = CookiePairs(value)
        // What is kept is copied in runs: `run` begins where the run that is open does.
        var run = 0
        while let pair = pairs.next() {
            guard isCut(value.extracting(pair.name.lowerBound..<pair.end)) else { continue }
            // The separator before the pair goes; where no pair is left before it, the one after.
            let end = pair.start > run ? pair.start - 1 : pair.start
            flush(run..<max(run, end), of: value, to: &buffer, lead, &hasBegun)
            run = hasBegun ? pair.end : min(pair.end + 1, value.count)
        }
        flush(run..<value.count, of: value, to: &buffer, lead, &hasBegun)
        return hasBegun
    }

    /// Appends the line `Cookie: …`, as ``append(to:lead:value:cutting:)`` does its value; no line
    /// where nothing is left of it.
    /// - Parameter screen: what it does not let pass is cut, besides ours.
    @discardableResult
    public static func appendLine(
        to buffer: inout ByteBuffer, value: Span<UInt8>, screen: (any CookieScreen)? = nil
    ) -> Bool {
        let isWritten =
            if let screen {
                append(to: &buffer, lead: "Cookie: ", value: value) { pair in
                    ReservedCookies.begin(pair) || !passes(pair, screen)
                }
            } else {
                append(to: &buffer, lead: "Cookie: ", value: value)
            }
        if isWritten { buffer.append("\r\n") }
        return isWritten
    }

    /// Asks a screen about one pair.
    private static func passes(
        _ bytes: borrowing Span<UInt8>, _ screen: any CookieScreen
    ) -> Bool {
        var pairs = CookiePairs(copy bytes)
        guard let pair = pairs.next() else { return true }
        return screen.passes(
            name: bytes.extracting(pair.name), value: bytes.extracting(pair.value))
    }

    private static func flush(
        _ range: Range<Int>, of value: Span<UInt8>, to buffer: inout ByteBuffer,
        _ lead: StaticString, _ hasBegun: inout Bool
    ) {
        var start = range.lowerBound
        if !hasBegun {
            // Blanks and separators that a cut left in front go too.
            while range.lowerBound > 0, start < range.upperBound, isSeparator(value[start]) {
                start += 1
            }
            guard start < range.upperBound else { return }
            buffer.append(lead)
            hasBegun = true
        }
        buffer.append(value.extracting(start..<range.upperBound))
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x3B
    }
}

extension Fields {
    /// The value of a cookie that ``CookieField/find(_:in:)`` found in these fields.
    @_lifetime(borrow self)
    public func cookie(at place: CookieField.Place) -> Span<UInt8> {
        value(at: place.line).extracting(place.range)
    }
}
