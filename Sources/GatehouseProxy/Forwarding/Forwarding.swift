public import GatehouseHTTP

/// What to do with one exchange: where it goes and what changes on the way.
public struct Forwarding {
    public let target: UpstreamTarget
    public let edits: FieldEdits
    public let review: ResponseReview
    /// Connections of this loop.
    public let pool: UpstreamPool
    /// Our id of this exchange; goes upstream as X-Request-Id.
    public let requestID: RequestID
    /// Told of what counts as the user's doing in a tunnel: data frames from the client.
    public let onActivity: (() -> Void)?

    public init(
        target: UpstreamTarget, edits: FieldEdits, review: ResponseReview, pool: UpstreamPool,
        requestID: RequestID, onActivity: (() -> Void)? = nil
    ) {
        self.onActivity = onActivity
        self.target = target
        self.edits = edits
        self.review = review
        self.pool = pool
        self.requestID = requestID
    }
}

/// Names an exchange in logs, on pages and upstream: 16 hexadecimal digits.
public struct RequestID: Sendable, Equatable, CustomStringConvertible {
    public let number: UInt64

    public init(_ number: UInt64) { self.number = number }

    public var description: String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
