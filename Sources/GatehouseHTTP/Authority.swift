import GatehouseBase

/// `uri-host [ ":" port ]` as Host carries it (RFC 9110 §7.2, RFC 3986 §3.2.2).
public enum Authority {
    /// Letters, digits, `-`, `.`, `_` or an IPv6 address in brackets, and at most one port below 65536. Other
    /// characters that RFC 3986 allows occur in no host name, and backends disagree about them.
    ///
    /// - Parameter mayBeEscaped: whether percent-encoded bytes may stand in a name.
    public static func isValid(
        _ bytes: borrowing Span<UInt8>, mayBeEscaped: Bool = false
    ) -> Bool {
        var index = 0
        if bytes.isEmpty { return false }
        if bytes[0] == 0x5B {
            index = 1
            while index < bytes.count, bytes[index] != 0x5D {
                guard
                    ASCII.hexValue(bytes[index]) != nil || bytes[index] == 0x3A
                        || bytes[index] == 0x2E
                else { return false }
                index += 1
            }
            guard index < bytes.count, index > 2 else { return false }
            index += 1
        } else {
            while index < bytes.count {
                if isHost(bytes[index]) {
                    index += 1
                } else if mayBeEscaped, bytes[index] == 0x25, index + 2 < bytes.count,
                    ASCII.hexValue(bytes[index + 1]) != nil,
                    ASCII.hexValue(bytes[index + 2]) != nil
                {
                    index += 3
                } else {
                    break
                }
            }
            guard index > 0 else { return false }
        }
        guard index < bytes.count else { return true }
        guard bytes[index] == 0x3A, bytes.count - index <= 6 else { return false }
        var port = 0
        for digit in index + 1..<bytes.count {
            guard ASCII.isDigit(bytes[digit]) else { return false }
            port = port * 10 + Int(bytes[digit] - 0x30)
        }
        return port < 1 << 16
    }

    /// Equal but for case.
    static func areEqual(
        _ left: borrowing Span<UInt8>, _ right: borrowing Span<UInt8>
    ) -> Bool {
        guard left.count == right.count else { return false }
        for index in left.indices
        where ASCII.lowercased(left[index]) != ASCII.lowercased(right[index]) {
            return false
        }
        return true
    }

    private static func isHost(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || ASCII.isDigit(byte) || byte == 0x2D
            || byte == 0x2E || byte == 0x5F
    }
}
