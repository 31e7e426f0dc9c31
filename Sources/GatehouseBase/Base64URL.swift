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
