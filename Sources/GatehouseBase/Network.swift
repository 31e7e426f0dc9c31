/// A range of IP addresses in CIDR notation: `10.0.0.0/8`, `fd00::/8`, or one address.
public struct Network: Sendable, Hashable {
    /// Four or sixteen bytes, in the order of the network; bits beyond ``prefix`` are 0.
    public let bytes: [UInt8]
    /// How many bits of an address count.
    public let prefix: Int

    /// - Parameters:
    ///   - bytes: four or sixteen.
    ///   - prefix: 0 to 32, or to 128.
    public init(bytes: [UInt8], prefix: Int) {
        self.bytes = bytes.enumerated().map { index, byte in
            byte & Network.mask(index, prefix)
        }
        self.prefix = prefix
    }

    /// Whether `address`, four or sixteen bytes, lies in it. An IPv4 address that is written in
    /// IPv6 (`::ffff:10.0.0.1`) is the IPv4 address.
    public func contains(_ address: [UInt8]) -> Bool {
        let address = Network.unmapped(address)
        guard address.count == bytes.count else { return false }
        return address.indices.allSatisfy { index in
            address[index] & Network.mask(index, prefix) == bytes[index]
        }
    }

    /// The four bytes of an IPv4 address that is written in IPv6 (RFC 4291 §2.5.5.2); any other as
    /// it is.
    public static func unmapped(_ address: [UInt8]) -> [UInt8] {
        let isMapped =
            address.count == 16 && address[..<10].allSatisfy { $0 == 0 } && address[10] == 0xFF
            && address[11] == 0xFF
        return isMapped ? Array(address[12...]) : address
    }

    /// The bits of the byte at `index` that count.
    private static func mask(_ index: Int, _ prefix: Int) -> UInt8 {
        let bits = min(8, max(0, prefix - 8 * index))
        return bits == 8 ? 0xFF : ~(0xFF >> UInt8(bits))
    }
}
