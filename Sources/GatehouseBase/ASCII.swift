/// Byte classes of RFC 9110 and RFC 3986, as bit tables: one shift and one mask a byte.
public enum ASCII {
    /// `!#$%&'*+-.^_`|~`, digits and letters (RFC 9110 §5.6.2).
    @inlinable
    public static func isToken(_ byte: UInt8) -> Bool {
        byte < 64
            ? (0x03FF_6CFA_0000_0000 as UInt64) >> UInt64(byte) & 1 != 0
            : byte < 128 && (0x57FF_FFFF_C7FF_FFFE as UInt64) >> UInt64(byte - 64) & 1 != 0
    }

    /// VCHAR, obs-text, SP and HTAB (RFC 9110 §5.5).
    @inlinable
    public static func isFieldValue(_ byte: UInt8) -> Bool {
        byte >= 0x20 ? byte != 0x7F : byte == 0x09
    }

    /// Printable ASCII but for `#`: what a path or a query may hold on the wire. RFC 3986 is
    /// stricter; browsers and Jupyter send `"`, `<`, `|`, `{` and `\` raw.
    @inlinable
    public static func isTarget(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != 0x23
    }

    @inlinable
    public static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// The value of a hexadecimal digit.
    @inlinable
    public static func hexValue(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let folded = byte | 0x20
        return folded &- 0x61 < 6 ? folded &- 0x61 &+ 10 : nil
    }

    /// Lower case, and `-` for what backends take for it in a field name.
    @inlinable
    public static func foldedName(_ byte: UInt8) -> UInt8 {
        byte == 0x5F || byte == 0x2E ? 0x2D : lowercased(byte)
    }

    /// `A`–`Z` to `a`–`z`, everything else as it is.
    @inlinable
    public static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }
}

extension Span where Element == UInt8 {
    /// Compares with ASCII `text` in lower case, ignoring the case of ours.
    @inlinable
    public func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        var equal = true
        text.withUTF8Buffer { other in
            // Sound: `other` lives as long as the program and both counts agree.
            for index in indices where unsafe ASCII.lowercased(self[index]) != other[index] {
                equal = false
                return
            }
        }
        return equal
    }

    /// Compares byte for byte with ASCII `text`.
    @inlinable
    public func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        var equal = true
        text.withUTF8Buffer { other in
            // Sound: as above.
            for index in indices where unsafe self[index] != other[index] {
                equal = false
                return
            }
        }
        return equal
    }

    /// Whether this begins with `prefix` (lower case), when `_` and `.` count as `-` and case as
    /// nothing: the ways in which backends fold field names.
    @inlinable
    public func startsLike(_ prefix: StaticString) -> Bool {
        guard count >= prefix.utf8CodeUnitCount else { return false }
        var equal = true
        prefix.withUTF8Buffer { wanted in
            // Sound: as above; `wanted` is not longer than ours.
            for index in 0..<wanted.count
            where unsafe ASCII.foldedName(self[index]) != wanted[index] {
                equal = false
                return
            }
        }
        return equal
    }

    /// Compares byte for byte.
    @inlinable
    public func equals(_ other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }

    /// The bytes as text; nil where they are no UTF-8.
    public var text: String? {
        String(validating: self)
    }

    /// The bytes as text; what is no UTF-8 becomes U+FFFD. For logs and pages only.
    public var repairedText: String {
        var copy: [UInt8] = []
        copy.reserveCapacity(count)
        for index in indices { copy.append(self[index]) }
        return String(decoding: copy, as: UTF8.self)
    }

    /// A copy.
    public var array: [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(count)
        for index in indices { copy.append(self[index]) }
        return copy
    }

    /// Without spaces and tabs at both ends (OWS, RFC 9110 §5.6.3).
    @inlinable
    public var trimmed: Span<UInt8> {
        @_lifetime(copy self)
        get {
            var lower = 0
            var upper = count
            while lower < upper, self[lower] == 0x20 || self[lower] == 0x09 { lower += 1 }
            while upper > lower, self[upper - 1] == 0x20 || self[upper - 1] == 0x09 { upper -= 1 }
            return extracting(lower..<upper)
        }
    }
}

extension String {
    /// The text of bytes that are valid UTF-8, else nil.
    init?(validating span: borrowing Span<UInt8>) {
        self.init(validating: span.array, as: UTF8.self)
    }
}

extension Array where Element == UInt8 {
    /// Appends a copy of `span`.
    @inlinable
    public mutating func append(copying span: borrowing Span<UInt8>) {
        for index in span.indices { append(span[index]) }
    }
}
