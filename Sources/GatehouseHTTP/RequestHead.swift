import GatehouseBase

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
