/// Networks as they are written.
extension Network: CustomStringConvertible {
    /// Why a text is no network, and what to write instead.
    public struct ParseError: Error, Sendable, Equatable {
        public let message: String
        public let hint: String
    }

    /// Reads `10.0.0.0/8`, `fd00::/8`, or one address without `/`. No bit beyond the prefix may be
    /// set: whoever writes `10.1.2.3/8` may mean the one address or the whole network. An IPv4
    /// network that is written in IPv6 (`::ffff:10.0.0.0/104`) is the IPv4 network.
    public init(parsing text: String) throws(ParseError) {
        let parts = text.utf8.split(
            separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = Network.address(Array(parts[0])) else {
            throw ParseError(
                message: "it is neither a network nor an address",
                hint: Network.hint(forAddress: text))
        }
        let widest = address.count * 8
        var prefix = widest
        if parts.count == 2 {
            guard let bits = Network.decimal(Array(parts[1])), bits <= widest else {
                throw ParseError(
                    message: "after '/' stands how many bits count, from 0 to \(widest)",
                    hint: "such as '\(widest == 32 ? "10.0.0.0/8" : "fd00::/8")'")
            }
            prefix = bits
        }
        let bytes = Network.unmapped(address)
        if bytes.count < address.count {
            guard prefix >= 96 else {
                throw ParseError(
                    message: "it is wider than the IPv4 addresses that are written in IPv6",
                    hint: "write the IPv4 network itself, such as '10.0.0.0/8'")
            }
            prefix -= 96
        }
        self.init(bytes: bytes, prefix: prefix)
        guard self.bytes == bytes else {
            let single = Network(bytes: bytes, prefix: bytes.count * 8)
            throw ParseError(
                message: "it has bits set beyond its first \(prefix)",
                hint: "write '\(self)' for the network, or '\(single)' for the one address")
        }
    }

    /// Reads back as the same network; one address stands without its prefix.
    public var description: String {
        let address = bytes.count == 4 ? bytes.map { "\($0)" }.joined(separator: ".") : groups
        return prefix == bytes.count * 8 ? address : "\(address)/\(prefix)"
    }

    /// RFC 5952: small letters, no leading zeros, `::` for the first of the longest runs of zeros.
    private var groups: String {
        let values = stride(from: 0, to: bytes.count, by: 2).map { index in
            UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
        }
        var longest = 0..<0
        var start = 0
        while start < values.count {
            let length = values[start...].prefix { $0 == 0 }.count
            if length > max(1, longest.count) { longest = start..<(start + length) }
            start += max(1, length)
        }
        func text(_ values: ArraySlice<UInt16>) -> String {
            values.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !longest.isEmpty else { return text(values[...]) }
        return "\(text(values[..<longest.lowerBound]))::\(text(values[longest.upperBound...]))"
    }

    private static func hint(forAddress text: String) -> String {
        if text.utf8.contains(UInt8(ascii: "[")) { return "write it without brackets" }
        if text.utf8.contains(UInt8(ascii: "%")) { return "write it without '%' and the zone" }
        let digits = text.utf8.filter { $0 != UInt8(ascii: ".") }
        let isShort = digits.allSatisfy { (0x2F...0x39).contains($0) } && !digits.isEmpty
        return isShort
            ? "four numbers up to 255 without leading zeros, such as '10.0.0.0/8'"
            : "such as '10.0.0.0/8', '127.0.0.1' or 'fd00::/8'"
    }

    /// Four or sixteen bytes.
    private static func address(_ text: [UInt8]) -> [UInt8]? {
        text.contains(UInt8(ascii: ":")) ? sixteen(text) : four(text[...])
    }

    /// Four decimal numbers: other notations mean other addresses to other programs.
    private static func four(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let bytes = parts.compactMap { decimal(Array($0)).flatMap { UInt8(exactly: $0) } }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    /// RFC 4291 §2.2: eight groups, or fewer with one `::`; the last two may be an IPv4 address.
    private static func sixteen(_ text: [UInt8]) -> [UInt8]? {
        let colon = UInt8(ascii: ":")
        var gap: Int?
        var bytes: [UInt8] = []
        var rest = text[...]
        if rest.starts(with: [colon, colon]) {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let group = rest.prefix { $0 != colon }
            rest = rest.dropFirst(group.count)
            if rest.isEmpty, let tail = four(group) {
                bytes += tail
                break
            }
            guard let value = hexadecimal(group) else { return nil }
            bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            if rest.first == colon {
                guard gap == nil else { return nil }
                gap = bytes.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        guard let gap else { return bytes.count == 16 ? bytes : nil }
        // "::" stands for at least one group.
        guard bytes.count <= 14 else { return nil }
        bytes.insert(contentsOf: [UInt8](repeating: 0, count: 16 - bytes.count), at: gap)
        return bytes
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(digits.count), digits.allSatisfy({ ASCII.hexValue($0) != nil })
        else {
            return nil
        }
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// Up to three digits without leading zeros.
    private static func decimal(_ digits: [UInt8]) -> Int? {
        guard (1...3).contains(digits.count), digits.allSatisfy(ASCII.isDigit),
            digits.count == 1 || digits[0] != UInt8(ascii: "0")
        else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
