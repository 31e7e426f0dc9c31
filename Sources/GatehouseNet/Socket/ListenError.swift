/// Why an address cannot be listened on.
public struct ListenError: Error, Sendable {
    public let address: String
    public let reason: String

    public init(address: String, reason: String) {
        self.address = address
        self.reason = reason
    }
}
