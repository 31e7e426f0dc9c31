import GatehouseBase

/// A request method. Case-sensitive; what is not named here is ``other``.
public enum Method: UInt8, Sendable {
    case get, head, post, put, delete, options, patch, connect, trace, other

    /// Safe by RFC 9110 §9.2.1, of those we know.
    public var isSafe: Bool { self == .get || self == .head || self == .options || self == .trace }

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
        case 7 where bytes.equals("OPTIONS"): self = .options
        case 7 where bytes.equals("CONNECT"): self = .connect
        default: self = .other
        }
    }
}

/// HTTP/1.0 or HTTP/1.1 on the wire; later also what HTTP/2 carries.
public enum Version: UInt8, Sendable {
    case http10, http11
}

/// A request head: method, target and fields. Target and names are the bytes received.
public struct RequestHead: Sendable {
    public internal(set) var method = Method.get
    public internal(set) var version = Version.http11
    /// Whether the target was `http://authority/…` (RFC 9112 §3.2.2).
    public internal(set) var isAbsoluteForm = false
    public var fields = Fields()
    var methodRange = 0..<0
    var authorityRange = 0..<0
    var pathRange = 0..<0
    var targetRange = 0..<0

    /// Empty, to be filled by the parser; reuse keeps its memory.
    public init() {}

    /// A head of our own. `target` is in origin form.
    public init(_ method: String, target: String, authority: String) {
        precondition(Fields.isValid(name: method) && target.utf8.allSatisfy(ASCII.isTarget))
        fields.bytes.append(contentsOf: method.utf8)
        methodRange = 0..<fields.bytes.count
        let start = fields.bytes.count
        fields.bytes.append(contentsOf: target.utf8)
        targetRange = start..<fields.bytes.count
        let query = fields.bytes[targetRange].firstIndex(of: 0x3F) ?? targetRange.upperBound
        pathRange = start..<query
        self.method = Method(fields.span(methodRange))
        fields.append(.host, authority)
    }

    /// Puts the host that the client asked for into Host, where a front has rewritten it.
    public mutating func setHost(_ authority: [UInt8]) {
        precondition(Authority.isValid(authority.span))
        if let line = fields.firstIndex(of: .host) {
            fields.setValue(at: line, authority)
        } else {
            fields.append(.host, String(decoding: authority, as: UTF8.self))
        }
    }

    /// Forgets everything but the memory.
    mutating func clear() {
        startOver()
        fields.removeAll()
    }

    /// As ``clear()``, for the parser: see ``Fields/startOver()``.
    mutating func startOver() {
        fields.startOver()
        method = .get
        version = .http11
        isAbsoluteForm = false
        methodRange = 0..<0
        authorityRange = 0..<0
        pathRange = 0..<0
        targetRange = 0..<0
    }

    /// The method's name.
    @_lifetime(borrow self)
    public func methodName() -> Span<UInt8> { fields.span(methodRange) }

    /// Path and query, as received: what is forwarded.
    @_lifetime(borrow self)
    public func target() -> Span<UInt8> { fields.span(targetRange) }

    /// The path, as received.
    @_lifetime(borrow self)
    public func path() -> Span<UInt8> { fields.span(pathRange) }

    /// The query without its question mark; empty where there is none.
    @_lifetime(borrow self)
    public func query() -> Span<UInt8> {
        fields.span(min(pathRange.upperBound + 1, targetRange.upperBound)..<targetRange.upperBound)
    }

    /// The authority of an absolute-form target.
    @_lifetime(borrow self)
    public func authority() -> Span<UInt8> { fields.span(authorityRange) }

    /// Whether the client keeps the connection (RFC 9112 §9.3).
    public var wantsKeepAlive: Bool {
        if fields.lists(.connection, "close") { return false }
        return version == .http11 || fields.lists(.connection, "keep-alive")
    }
}

/// A response head: status, reason and fields.
public struct ResponseHead: Sendable {
    public var status: Int = 200
    public internal(set) var version = Version.http11
    public var fields = Fields()
    var reasonRange = 0..<0

    public init() {}

    /// A head of our own.
    public init(_ status: Int) { self.status = status }

    /// Forgets everything but the memory.
    mutating func clear() {
        startOver()
        fields.removeAll()
    }

    /// As ``clear()``, for the parser: see ``Fields/startOver()``.
    mutating func startOver() {
        fields.startOver()
        status = 200
        version = .http11
        reasonRange = 0..<0
    }

    /// The reason phrase as received; empty where there was none.
    @_lifetime(borrow self)
    public func reason() -> Span<UInt8> { fields.span(reasonRange) }

    /// 1xx other than 101.
    public var isInterim: Bool { status < 200 && status != 101 }

    /// Whether the server keeps the connection.
    public var keepsAlive: Bool {
        if fields.lists(.connection, "close") { return false }
        return version == .http11 || fields.lists(.connection, "keep-alive")
    }
}

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
