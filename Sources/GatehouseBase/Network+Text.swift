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
        guard let address = IPAddress.bytes(Array(parts[0]).span) else {
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
        let address = IPAddress(bytes: bytes)
        return prefix == bytes.count * 8 ? "\(address)" : "\(address)/\(prefix)"
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

    /// Up to three digits without leading zeros.
    private static func decimal(_ digits: [UInt8]) -> Int? {
        guard (1...3).contains(digits.count), digits.allSatisfy(ASCII.isDigit),
            digits.count == 1 || digits[0] != UInt8(ascii: "0")
        else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
