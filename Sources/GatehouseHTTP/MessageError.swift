/// The grammar rule that a message breaks. What is broken is refused, never repaired.
public struct MessageError: Error, Equatable, Sendable {
    /// The rule, each with the section that makes it.
    public enum Rule: String, Sendable {
        // RFC 9112 §3
        case requestLine = "malformed request line"
        case requestLineTooLong = "request line too long"
        case version = "unsupported HTTP version"
        case target = "malformed request target"
        case method = "method not supported"
        // RFC 9112 §4
        case statusLine = "malformed status line"
        // RFC 9112 §2.2, §5
        case bareLineFeed = "line not ended by CRLF"
        case fieldName = "malformed field name"
        case fieldValue = "control character in field value"
        case obsoleteFolding = "folded field line"
        case headTooLarge = "head too large"
        case tooManyFields = "too many fields"
        // RFC 9112 §3.2
        case host = "missing, repeated or malformed Host"
        case authorityMismatch = "target and Host differ"
        // RFC 9112 §6
        case contentLength = "malformed or repeated Content-Length"
        case transferEncoding = "unsupported Transfer-Encoding"
        case lengthAndEncoding = "Content-Length beside Transfer-Encoding"
        // RFC 9112 §7
        case chunk = "malformed chunk"
        case chunkLineTooLong = "chunk line too long"
        case trailer = "malformed trailer"
        // RFC 9110 §7.6.1
        case nominated = "Connection names a field that it must not"
        // RFC 6455 §4
        case webSocket = "malformed WebSocket handshake"
        case webSocketVersion = "WebSocket version not supported"
        case webSocketUpgradeLost =
            "Sec-WebSocket-Key without Upgrade: the proxy in front does not pass Upgrade on"
        // What a trusted front says: docs/decisions/0016
        case xForwardedFor = "malformed X-Forwarded-For from the proxy in front"
        case xForwardedProto = "malformed X-Forwarded-Proto from the proxy in front"
        case xScheme = "malformed X-Scheme from the proxy in front"
        case schemesDiffer = "X-Forwarded-Proto, X-Scheme: the proxy in front says http and https"
        case xForwardedHost = "malformed X-Forwarded-Host from the proxy in front"
        case cfConnectingIP = "malformed CF-Connecting-IP from the proxy in front"
        case forwarded = "malformed Forwarded from the proxy in front"
    }

    public let rule: Rule
    /// Bytes from the start of the head or chunk, where that is known.
    public let offset: Int

    public init(_ rule: Rule, at offset: Int = 0) {
        self.rule = rule
        self.offset = offset
    }

    /// The status of a refusal when a client's request broke the rule.
    public var status: Int {
        switch rule {
        case .requestLineTooLong: 414
        case .headTooLarge, .tooManyFields: 431
        case .version: 505
        case .method: 405
        case .webSocketVersion: 426
        default: 400
        }
    }
}
