import GatehouseBase

/// The Set-Cookie field (RFC 6265 §4.1).
public enum SetCookie {
    /// The name that the value of a Set-Cookie line sets; empty where it has no `=`.
    @_lifetime(copy value)
    public static func name(of value: Span<UInt8>) -> Span<UInt8> {
        var end = 0
        while end < value.count, value[end] != 0x3D, value[end] != 0x3B { end += 1 }
        guard end < value.count, value[end] == 0x3D else { return value.extracting(0..<0) }
        return value.extracting(0..<end).trimmed
    }

    /// The value that a Set-Cookie line gives its cookie, without blanks around it.
    @_lifetime(copy line)
    public static func value(of line: Span<UInt8>) -> Span<UInt8> {
        let end = line.offset(of: 0x3B, from: 0)
        let start = line.extracting(0..<end).offset(of: 0x3D, from: 0)
        return start < end
            ? line.extracting(start + 1..<end).trimmed : line.extracting(0..<end).trimmed
    }

    /// The last Path of a Set-Cookie line; nil where there is none that counts (RFC 6265 §5.2.4).
    public static func path(of line: borrowing Span<UInt8>) -> [UInt8]? {
        var path: [UInt8]?
        var start = line.offset(of: 0x3B, from: 0)
        while start < line.count {
            let end = line.offset(of: 0x3B, from: start + 1)
            let part = line.extracting(start + 1..<end)
            let split = part.offset(of: 0x3D, from: 0)
            if split < part.count,
                part.extracting(0..<split).trimmed.equalsIgnoringCase("path")
            {
                let value = part.extracting(split + 1..<part.count).trimmed
                path = !value.isEmpty && value[0] == 0x2F ? value.array : nil
            }
            start = end
        }
        return path
    }

    /// The value of a Set-Cookie line that removes a cookie of an upstream's.
    ///
    /// As short as may be, there can be many: the attributes that protect a value are asked for
    /// where the name has a prefix such as `__Host-`, and of no other name.
    /// - Parameters:
    ///   - name: as it was set.
    ///   - path: as it was set.
    public static func removal(of name: [UInt8], path: [UInt8]) -> String {
        String(decoding: name, as: UTF8.self)
            + "=; Max-Age=0; Path=\(String(decoding: path, as: UTF8.self))"
            + (name.starts(with: "__".utf8) ? "; Secure; HttpOnly" : "")
    }

    /// Whether the value of a Set-Cookie line sets one of our cookies, or one that a browser
    /// could send back as one: `=name=value` is a cookie without name to it.
    public static func isReserved(_ value: borrowing Span<UInt8>) -> Bool {
        ReservedCookies.begin(value)
    }

    /// The value of a Set-Cookie line of ours.
    /// - Parameters:
    ///   - value: cookie octets of RFC 6265 §4.1.1.
    ///   - maxAge: seconds; nil ends with the browser.
    public static func line(_ name: String, _ value: String, maxAge: Int? = nil) -> String {
        precondition(Fields.isValid(name: name) && value.utf8.allSatisfy(isOctet))
        let age = maxAge.map { "; Max-Age=\($0)" } ?? ""
        return "\(name)=\(value)\(age); Path=/; Secure; HttpOnly; SameSite=Lax"
    }

    /// The value of a Set-Cookie line that removes a cookie of ours: the attributes must be those
    /// that set it, or the browser refuses the name.
    public static func removal(_ name: String) -> String { line(name, "", maxAge: 0) }

    private static func isOctet(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x2C && byte != 0x3B && byte != 0x5C
    }
}
