/// A whole answer of our own.
public struct Response: Sendable {
    public var head: ResponseHead
    public var body: [UInt8]

    public init(_ status: Int, body: [UInt8] = []) {
        head = ResponseHead(status)
        self.body = body
    }

    /// An answer with a text body and its type.
    public init(_ status: Int, contentType: String, _ text: String) {
        self.init(status, body: Array(text.utf8))
        head.fields.append(.contentType, contentType)
    }
}
