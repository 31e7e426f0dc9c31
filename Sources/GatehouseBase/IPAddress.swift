/// An IPv4 or IPv6 address as proxies write it, without port and zone.
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// Four or sixteen, in the order of the network. An IPv4 address that is written in IPv6
    /// (`::ffff:10.0.0.1`) is the IPv4 address.
    public let bytes: [UInt8]

    /// Reads exactly one address: four decimal numbers without leading zeros, or the text of
    /// RFC 4291 §2.2.
    public init?(parsing text: borrowing Span<UInt8>) {
        guard let bytes = IPAddress.bytes(text) else { return nil }
        self.bytes = Network.unmapped(bytes)
    }

    /// Takes four or sixteen bytes as they are.
    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Four or sixteen bytes, as many as the text writes.
    static func bytes(_ text: borrowing Span<UInt8>) -> [UInt8]? {
        four(text, from: 0) ?? six(text)
    }

    /// Reads exactly one address.
    public init?(parsing text: String) { self.init(parsing: Array(text.utf8).span) }

    /// Four numbers up to 255 that end with `text`.
    private static func four(_ text: borrowing Span<UInt8>, from start: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var index = start
        while true {
            let first = index
            var number = 0
            while index < text.count, ASCII.isDigit(text[index]), index - first < 3 {
                number = number * 10 + Int(text[index] - 0x30)
                index += 1
            }
            guard index > first, number < 256, index - first == 1 || text[first] != 0x30 else {
                return nil
            }
            bytes.append(UInt8(number))
            if bytes.count == 4 { return index == text.count ? bytes : nil }
            guard index < text.count, text[index] == 0x2E else { return nil }
            index += 1
        }
    }

    /// Eight groups of hexadecimal digits, or fewer around one `::`; an IPv4 tail counts as two.
    private static func six(_ text: borrowing Span<UInt8>) -> [UInt8]? {
        let colon = UInt8(ascii: ":")
        var bytes: [UInt8] = []
        var gap: Int?
        var index = 0
        if text.count >= 2, text[0] == colon, text[1] == colon {
            gap = 0
            index = 2
        }
        while index < text.count {
            let first = index
            var group = 0
            while index < text.count, let digit = ASCII.hexValue(text[index]) {
                guard index - first < 4 else { return nil }
                group = group << 4 | Int(digit)
                index += 1
            }
            if index < text.count, text[index] == 0x2E {
                guard let tail = four(text, from: first) else { return nil }
                bytes += tail
                break
            }
            guard index > first else { return nil }
            bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
            guard bytes.count <= 16 else { return nil }
            if index == text.count { break }
            guard text[index] == colon, index + 1 < text.count else { return nil }
            index += 1
            if text[index] == colon {
                guard gap == nil else { return nil }
                gap = bytes.count
                index += 1
            }
        }
        guard let gap else { return bytes.count == 16 ? bytes : nil }
        guard bytes.count <= 14 else { return nil }
        bytes.insert(contentsOf: [UInt8](repeating: 0, count: 16 - bytes.count), at: gap)
        return bytes
    }

    /// The one way to write it (RFC 5952 §4).
    public var description: String {
        guard bytes.count == 16 else {
            return "\(bytes[0]).\(bytes[1]).\(bytes[2]).\(bytes[3])"
        }
        let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        // The longest run of zeros, the first of equals.
        var zeros = 0..<0
        var start = 0
        for index in 0...8 where index == 8 || groups[index] != 0 {
            if index - start > max(1, zeros.count) { zeros = start..<index }
            start = index + 1
        }
        let text = { (part: ArraySlice<UInt16>) in
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !zeros.isEmpty else { return text(groups[...]) }
        return text(groups[..<zeros.lowerBound]) + "::" + text(groups[zeros.upperBound...])
    }
}
