/// The two ways to write an ECDSA signature: JOSE's `r ‖ s` (RFC 7518 §3.4) and DER's (RFC 3279).
public enum ECDSASignature {
    /// DER for OpenSSL; nil where `raw` has not exactly twice `size` bytes.
    public static func der(fromRaw raw: [UInt8], size: Int) -> [UInt8]? {
        guard raw.count == 2 * size else { return nil }
        let body = integer(raw[..<size]) + integer(raw[size...])
        return [0x30] + length(body.count) + body
    }

    /// JOSE's form of OpenSSL's DER; nil where it is not two integers of at most `size` bytes.
    public static func raw(fromDER der: [UInt8], size: Int) -> [UInt8]? {
        var rest = der[...]
        guard let body = take(0x30, from: &rest), rest.isEmpty else { return nil }
        rest = body
        guard let r = take(0x02, from: &rest), let s = take(0x02, from: &rest), rest.isEmpty
        else { return nil }
        guard let left = padded(r, size), let right = padded(s, size) else { return nil }
        return left + right
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var value = Array(bytes.drop { $0 == 0 })
        if value.first.map({ $0 & 0x80 != 0 }) ?? true { value.insert(0, at: 0) }
        return [0x02] + length(value.count) + value
    }

    private static func length(_ count: Int) -> [UInt8] {
        count < 0x80 ? [UInt8(count)] : [0x81, UInt8(truncatingIfNeeded: count)]
    }

    private static func take(
        _ tag: UInt8, from rest: inout ArraySlice<UInt8>
    ) -> ArraySlice<UInt8>? {
        guard rest.popFirst() == tag, var count = rest.popFirst().map(Int.init) else {
            return nil
        }
        if count == 0x81 { count = rest.popFirst().map(Int.init) ?? .max }
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private static func padded(_ bytes: ArraySlice<UInt8>, _ size: Int) -> [UInt8]? {
        let value = bytes.drop { $0 == 0 }
        guard value.count <= size else { return nil }
        return [UInt8](repeating: 0, count: size - value.count) + value
    }
}
