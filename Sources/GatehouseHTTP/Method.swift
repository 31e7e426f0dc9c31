import GatehouseBase

/// A request method. Case-sensitive; what is not named here is ``other``.
public enum Method: UInt8, Sendable {
    case get, head, post, put, delete, options, patch, connect, trace
    /// Of WebDAV, those that only ask (RFC 4918 §9.1, RFC 3253 §3.6, RFC 5323 §2).
    case propfind, report, search
    case other

    /// Safe by RFC 9110 §9.2.1, of those we know.
    public var isSafe: Bool {
        switch self {
        case .get, .head, .options, .trace, .propfind, .report, .search: true
        case .post, .put, .delete, .patch, .connect, .other: false
        }
    }

    /// Idempotent by RFC 9110 §9.2.2: may be sent again on another connection.
    public var isIdempotent: Bool { isSafe || self == .put || self == .delete }

    init(_ bytes: borrowing Span<UInt8>) {
        switch bytes.count {
        case 3 where bytes.equals("GET"): self = .get
        case 3 where bytes.equals("PUT"): self = .put
        case 4 where bytes.equals("HEAD"): self = .head
        case 4 where bytes.equals("POST"): self = .post
        case 5 where bytes.equals("PATCH"): self = .patch
        case 5 where bytes.equals("TRACE"): self = .trace
        case 6 where bytes.equals("DELETE"): self = .delete
        case 6 where bytes.equals("REPORT"): self = .report
        case 6 where bytes.equals("SEARCH"): self = .search
        case 7 where bytes.equals("OPTIONS"): self = .options
        case 7 where bytes.equals("CONNECT"): self = .connect
        case 8 where bytes.equals("PROPFIND"): self = .propfind
        default: self = .other
        }
    }
}
