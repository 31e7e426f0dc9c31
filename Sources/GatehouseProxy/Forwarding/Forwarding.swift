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
    /// How the request's target changes; nil where it stays.
    public let rewriting: TargetRewriting?
    /// Told of what counts for the route: ``RouteActivity``.
    public let onRouteActivity: ((RouteActivity) -> Void)?
    /// What the client gets in place of the upstream's answer; nil: that answer.
    public var substitute: Substitute?
    /// Bytes that a request's body may have; nil for no limit.
    public var maximumBody: Int?

    public init(
        target: UpstreamTarget, edits: FieldEdits, review: ResponseReview, pool: UpstreamPool,
        requestID: RequestID, rewriting: TargetRewriting? = nil,
        onActivity: (() -> Void)? = nil, onRouteActivity: ((RouteActivity) -> Void)? = nil
    ) {
        self.onActivity = onActivity
        self.rewriting = rewriting
        self.onRouteActivity = onRouteActivity
        self.target = target
        self.edits = edits
        self.review = review
        self.pool = pool
        self.requestID = requestID
    }
}
