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
