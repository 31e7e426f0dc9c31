/// Base64 with the URL alphabet and without padding (RFC 4648 §5, RFC 7515 §2).
public enum Base64URL {
    /// The text of `bytes`, without padding.
    public static func encode(_ bytes: [UInt8]) -> String {
        Base64Alphabet.url.encode(bytes, padded: false)
    }

    /// The bytes of `text`, or nil where it is not exactly what ``encode(_:)`` writes.
    ///
    /// Padding, blanks, other alphabets and unused bits that are not zero are refused: two texts
    /// for the same bytes would let one token pass for two (RFC 4648 §3.5).
    public static func decode(_ text: String) -> [UInt8]? {
        decode(Array(text.utf8)[...])
    }

    /// As ``decode(_:)-(String)``, for bytes of a larger text.
    public static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var width = 0
        for character in text {
            guard let value = Base64Alphabet.urlValue(character) else { return nil }
            bits = bits << 6 | value
            width += 6
            if width >= 8 {
                width -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(width)))
                bits &= (1 << UInt32(width)) - 1
            }
        }
        return bits == 0 ? bytes : nil
    }
}

/// Base64 with the standard alphabet and padding (RFC 4648 §4).
public enum Base64 {
    /// The text of `bytes`, padded.
    public static func encode(_ bytes: [UInt8]) -> String {
        Base64Alphabet.standard.encode(bytes, padded: true)
    }
}

private struct Base64Alphabet {
    let characters: [UInt8]

    static let common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    static let standard = Base64Alphabet(characters: Array((common + "+/").utf8))
    static let url = Base64Alphabet(characters: Array((common + "-_").utf8))

    static func urlValue(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }

    func encode(_ bytes: [UInt8], padded: Bool) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var bits: UInt32 = 0
        var width: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            width += 8
            while width >= 6 {
                width -= 6
                text.append(characters[Int(bits >> width & 63)])
            }
            bits &= (1 << width) - 1
        }
        if width > 0 { text.append(characters[Int(bits << (6 - width) & 63)]) }
        while padded, text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Hexadecimal digits, two a byte.
public enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// The lower-case digits of `bytes`.
    public static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of `text` in either case, or nil where it is anything else.
    public static func decode(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 2)
        for index in stride(from: 0, to: characters.count, by: 2) {
            guard let high = value(characters[index]), let low = value(characters[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// The value of one digit in either case.
    static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Percent-encoding (RFC 3986 §2.1).
public enum PercentCoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// `text` with everything but the unreserved characters escaped (RFC 3986 §2.3).
    public static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if isUnreserved(byte) { bytes.append(byte) } else { escape(byte, into: &bytes) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `text` with its escapes decoded; nil for a broken escape or what is then not UTF-8.
    ///
    /// `+` stays: that it means a blank is the form encoding's rule (``FormFields``).
    public static func decode(_ text: String) -> String? {
        guard let bytes = decodeBytes(Array(text.utf8)[...]) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// `text` with its escapes decoded; nil for a broken escape.
    public static func decodeBytes(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            guard text[index] == UInt8(ascii: "%") else {
                bytes.append(text[index])
                index += 1
                continue
            }
            guard text.endIndex - index > 2, let high = Hex.value(text[index + 1]),
                let low = Hex.value(text[index + 2])
            else { return nil }
            bytes.append(high << 4 | low)
            index += 3
        }
        return bytes
    }

    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// Adds `%` and the two digits of a byte.
    public static func escape(_ byte: UInt8, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "%"))
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
    }
}

/// Whether both texts are the same bytes.
///
/// Swift's `==` takes canonically equivalent texts for equal (the Kelvin sign for `K`): right for
/// people, wrong for issuers, audiences, subjects, names and groups (RFC 8259 §8.3).
public func sameBytes(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8)
}
