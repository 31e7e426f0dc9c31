import Glibc

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

    /// Lower case, and `-` for every byte that is neither letter nor digit: CGI makes `_` of `-`
    /// (RFC 3875 §4.1.18), and servers such as lighttpd make it of all the others too.
    @inlinable
    public static func foldedName(_ byte: UInt8) -> UInt8 {
        let lower = byte | 0x20
        if lower &- 0x61 < 26 { return lower }
        return byte &- 0x30 < 10 ? byte : 0x2D
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

    /// Compares with `name` of lower-case letters, digits and `-`, ignoring the case of ours, which
    /// holds no control characters.
    @inlinable
    public func equalsFolded(_ name: StaticString) -> Bool {
        let length = count
        guard length == name.utf8CodeUnitCount else { return false }
        let theirs = unsafe UnsafeRawPointer(name.utf8Start)
        // Setting one bit folds letters and moves nothing but control characters onto `-` and
        // digits. Sound: each load lies within `0..<length`, which both have.
        return unsafe withUnsafeBytes { ours in
            var index = 0
            while index &+ 8 <= length {
                let left = unsafe ours.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let right = unsafe theirs.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                guard left | 0x2020_2020_2020_2020 == right else { return false }
                index &+= 8
            }
            while index < length {
                let right = unsafe theirs.load(fromByteOffset: index, as: UInt8.self)
                guard unsafe ours[index] | 0x20 == right else { return false }
                index &+= 1
            }
            return true
        }
    }

    /// Whether this begins with ASCII `prefix` in lower case, ignoring the case of ours.
    @inlinable
    public func startsIgnoringCase(_ prefix: StaticString) -> Bool {
        let length = prefix.utf8CodeUnitCount
        return count >= length && extracting(first: length).equalsIgnoringCase(prefix)
    }

    /// Whether this begins with `prefix` (lower-case letters, digits and `-`), when everything but
    /// letters and digits counts as `-` and case as nothing: the ways in which backends fold field
    /// names.
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
    public func equals(_ other: borrowing Span<UInt8>) -> Bool {
        count == other.count && holds(other, at: 0)
    }

    /// Whether the bytes of `other` stand here at `start`.
    public func holds(_ other: borrowing Span<UInt8>, at start: Int) -> Bool {
        let length = other.count
        guard start >= 0, start <= count, length <= count - start else { return false }
        // Sound: `length` bytes are there on both sides.
        return unsafe withUnsafeBytes { ours in
            unsafe other.withUnsafeBytes { theirs in
                guard let one = ours.baseAddress, let two = theirs.baseAddress else {
                    return length == 0
                }
                return unsafe memcmp(one + start, two, length) == 0
            }
        }
    }

    /// The bytes as text; nil where they are no UTF-8.
    public var text: String? {
        String(validating: self)
    }

    /// The bytes as text; what is no UTF-8 becomes U+FFFD. For logs and pages only.
    public var repairedText: String { String(decoding: array, as: UTF8.self) }

    /// A copy.
    public var array: [UInt8] {
        var copy: [UInt8] = []
        copy.append(copying: self)
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

// MARK: Scanning

/// Eight bytes in a word: the first byte of memory is the lowest. Each mask has the high bit of a
/// byte set where the byte is one of those asked for; bits above the lowest one may be wrong,
/// because a subtraction borrows from there.
extension UInt64 {
    @inlinable
    @inline(__always)
    func maskOfBytes(below limit: UInt8) -> UInt64 {
        (self &- 0x0101_0101_0101_0101 &* UInt64(limit)) & ~self & 0x8080_8080_8080_8080
    }

    @inlinable
    @inline(__always)
    func maskOfBytes(_ byte: UInt8) -> UInt64 {
        (self ^ 0x0101_0101_0101_0101 &* UInt64(byte)).maskOfBytes(below: 1)
    }

    /// This one is exact: seven bits and an addend of at most 0x7F carry nothing over.
    @inlinable
    @inline(__always)
    var maskOfBytesBesidesLettersAndHyphen: UInt64 {
        let high: UInt64 = 0x8080_8080_8080_8080
        let low = self & ~high
        let folded = low | 0x2020_2020_2020_2020
        // The high bit is set from `a` on, and from the byte after `z` on.
        let letters = (folded &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(folded &+ 0x0505_0505_0505_0505)
        let others = (low ^ 0x2D2D_2D2D_2D2D_2D2D) &+ 0x7F7F_7F7F_7F7F_7F7F
        return (~letters & others | self) & high
    }
}

extension Span where Element == UInt8 {
    /// The place of the first `byte` at or after `start`; ``count`` where there is none.
    public func offset(of byte: UInt8, from start: Int = 0) -> Int {
        guard start < count else { return count }
        precondition(start >= 0)
        // Sound: `count - start` bytes are there from `start` on.
        return unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base + start, Int32(byte), bytes.count - start)
            else { return bytes.count }
            return unsafe UnsafeRawPointer(found) - base
        }
    }

    /// The place of the first byte at or after `start` that a field value may not hold.
    @inlinable
    public func fieldValueEnd(from start: Int) -> Int {
        // A tab is asked about twice: it is rare.
        scan(from: start) {
            $0.maskOfBytes(below: 0x20) | $0.maskOfBytes(0x7F)
        } stopsAt: {
            !ASCII.isFieldValue($0)
        }
    }

    /// The place of the first byte at or after `start` that a request target may not hold.
    @inlinable
    public func targetEnd(from start: Int) -> Int {
        scan(from: start) {
            $0.maskOfBytes(below: 0x21) | $0.maskOfBytes(0x7F) | $0.maskOfBytes(0x23)
                | $0 & 0x8080_8080_8080_8080
        } stopsAt: {
            !ASCII.isTarget($0)
        }
    }

    /// The place of the first byte at or after `start` that is no token character.
    @inlinable
    public func tokenEnd(from start: Int) -> Int {
        // Letters and hyphens are passed over; the rest, which is rare, is looked at.
        scan(from: start) {
            $0.maskOfBytesBesidesLettersAndHyphen
        } stopsAt: {
            !ASCII.isToken($0)
        }
    }

    /// Eight bytes at a time while the mask of those that may stop is empty.
    @inlinable
    @inline(__always)
    func scan(
        from start: Int, _ mask: (UInt64) -> UInt64, stopsAt isStop: (UInt8) -> Bool
    ) -> Int {
        precondition(start >= 0 && start <= count)
        let length = count
        // Sound: each load lies within `start..<length`, and the pointer stays inside.
        return unsafe withUnsafeBytes { bytes in
            var index = start
            while index &+ 8 <= length {
                let word = unsafe UInt64(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let found = mask(word)
                if found == 0 {
                    index &+= 8
                    continue
                }
                index &+= found.trailingZeroBitCount / 8
                if unsafe isStop(bytes[index]) { return index }
                index &+= 1
            }
            while index < length, unsafe !isStop(bytes[index]) { index &+= 1 }
            return index
        }
    }
}

extension String {
    /// The text of bytes that are valid UTF-8, else nil.
    init?(validating span: borrowing Span<UInt8>) {
        guard let text = try? UTF8Span(validating: copy span) else { return nil }
        self.init(copying: text)
    }
}

extension Hasher {
    /// Takes the bytes in as one piece: `Array` hands them over one by one.
    public mutating func combine(_ bytes: borrowing Span<UInt8>) {
        combine(bytes.count)
        // Sound: the hasher reads the bytes while they are borrowed.
        unsafe bytes.withUnsafeBytes { unsafe combine(bytes: $0) }
    }
}

extension Array where Element == UInt8 {
    /// Appends a copy of `span`.
    @inlinable
    public mutating func append(copying span: borrowing Span<UInt8>) {
        // Sound: the buffer lives as long as the borrowed span and does not leave the closure.
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
