/// The provider's answer.
public struct BackChannelResponse: Sendable {
    public var status: Int
    /// The value of its Content-Type.
    public var contentType: String?
    /// Whole and not encoded.
    public var body: [UInt8]

    public init(status: Int, contentType: String?, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}
