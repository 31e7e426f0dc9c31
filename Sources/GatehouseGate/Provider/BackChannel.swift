public import GatehouseBase

/// How the gate reaches the provider. Kit implements it over an upstream connection of its own.
public protocol BackChannel: Sendable {
    /// Sends one request and reads the whole answer, whatever its status. Redirects are never
    /// followed, and nothing is sent twice.
    func send(
        _ request: BackChannelRequest
    ) async throws(BackChannelError) -> BackChannelResponse
}

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

/// Why there is no answer.
public enum BackChannelError: Error, Sendable, Equatable {
    /// No such name, refused, unreachable, closed before an answer.
    case unreachable
    case timeout
    /// The certificate is not trusted or not for this name; the text says which.
    case tls(String)
    /// The answer is above its limit.
    case tooLarge
    /// The answer is not HTTP.
    case malformed
}

extension BackChannelError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreachable: "it cannot be reached"
        case .timeout: "it does not answer in time"
        case .tls(let text): "its certificate is not accepted: \(text)"
        case .tooLarge: "its answer is too large"
        case .malformed: "its answer is not HTTP"
        }
    }
}
