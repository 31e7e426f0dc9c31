/// Who counts as one where something is limited per peer: an IPv4 address, or 64 bits of an IPv6
/// address, which is what one household or one machine is given. What is no address is one by its
/// text.
public struct PeerNetwork: Sendable, Hashable {
    private let isAddress: Bool
    private let bytes: [UInt8]

    public init(_ peer: String) {
        let address = IPAddress(parsing: peer)
        isAddress = address != nil
        bytes = address.map { Array($0.bytes.prefix(8)) } ?? Array(peer.utf8)
    }
}
