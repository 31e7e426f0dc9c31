/// Names and values of an `application/x-www-form-urlencoded` text: a form's body or a query.
///
/// Order and duplicates are kept, so that whoever must refuse a second `state` can see it.
public struct FormFields: Sendable {
    /// What the text held, in its order.
    public let entries: [(name: String, value: String)]

    /// Reads `bytes`; nil where an escape is broken or a name or value is not UTF-8.
    ///
    /// Empty pairs (`a=1&&b=2`) are skipped and a pair without `=` has an empty value, as browsers
    /// do it.
    public init?(parsing bytes: [UInt8]) {
        var entries: [(name: String, value: String)] = []
        for pair in bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let rest = equals < pair.endIndex ? pair[(equals + 1)...] : pair[equals...]
            guard let name = Self.decode(pair[..<equals]), let value = Self.decode(rest)
            else { return nil }
            entries.append((name, value))
        }
        self.entries = entries
    }

    /// Reads `bytes` as browsers' URLSearchParams does: a broken escape stays as it is, and what is
    /// not UTF-8 becomes U+FFFD.
    public init(lenient bytes: [UInt8]) {
        var entries: [(name: String, value: String)] = []
        for pair in bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let rest = equals < pair.endIndex ? pair[(equals + 1)...] : pair[equals...]
            entries.append((Self.decodeLeniently(pair[..<equals]), Self.decodeLeniently(rest)))
        }
        self.entries = entries
    }

    /// The first value of `name`.
    public subscript(name: String) -> String? {
        entries.first { $0.name == name }?.value
    }

    /// Every value of `name`, in order.
    public func all(named name: String) -> [String] {
        entries.filter { $0.name == name }.map(\.value)
    }

    /// The text of `entries`, with blanks as `+` and everything but unreserved characters escaped.
    public static func encode(_ entries: [(String, String)]) -> String {
        entries.map { encode($0.0) + "=" + encode($0.1) }.joined(separator: "&")
    }

    /// One name or value, encoded as in ``encode(_:)-([(String,String)])``.
    public static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if byte == UInt8(ascii: " ") {
                bytes.append(UInt8(ascii: "+"))
            } else if PercentCoding.isUnreserved(byte), byte != UInt8(ascii: "~") {
                bytes.append(byte)
            } else {
                PercentCoding.escape(byte, into: &bytes)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decodeLeniently(_ text: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let high = ASCII.hexValue(rest[rest.startIndex]),
                let low = ASCII.hexValue(rest[rest.startIndex + 1])
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decode(_ text: ArraySlice<UInt8>) -> String? {
        let blanks = text.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
        guard let bytes = PercentCoding.decodeBytes(blanks[...]) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
