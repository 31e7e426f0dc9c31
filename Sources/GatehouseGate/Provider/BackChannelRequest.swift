public import GatehouseBase

/// A request to the provider.
public struct BackChannelRequest: Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    public var method: Method
    /// Absolute, with `http` or `https`.
    public var url: String
    /// Besides Host, Content-Length, Accept-Encoding (`identity`) and Connection.
    public var fields: [(name: String, value: Secret)]
    public var body: Secret?
    /// For all of it: from the look-up of the name to the last byte of the answer.
    public var timeout: Duration
    /// Bytes of the answer's body; more is ``BackChannelError/tooLarge``.
    public var maximumBody: Int

    public init(
        _ method: Method, url: String, fields: [(name: String, value: Secret)] = [],
        body: Secret? = nil, timeout: Duration, maximumBody: Int
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
        self.timeout = timeout
        self.maximumBody = maximumBody
    }
}
