public import GatehouseBase

/// Routes by host and path prefix: the longest prefix of whole segments wins, a route of the host
/// before one of any host. Each loop owns its table and changes it in place.
///
/// The keys stand apart from the values, so that the look-up is compiled once. Both are numbered
/// 0, 1, … without gaps.
public struct RouteTable<Value> {
    @usableFromInline var keys: RouteKeys
    @usableFromInline var values: [Value] = []

    public init(readings: RoutingReadings = .mustAgree) {
        keys = RouteKeys(readings, .random())
    }

    /// For tests, which choose the hash.
    init(readings: RoutingReadings, hash: RouteHash) {
        keys = RouteKeys(readings, hash)
    }

    @inlinable public var count: Int { values.count }

    /// Adds a route, or replaces the one of the same host and prefix.
    ///
    /// - Parameters:
    ///   - host: its case, a port and a trailing dot do not count; nil: any host.
    ///   - prefix: a decoded path such as `/user/alice`. Slashes at its ends do not count, those
    ///     within do: `/a//b` has an empty segment. `/` covers everything.
    /// - Returns: false, and nothing is changed, for a host that no request can have: empty or with
    ///   a slash.
    @inlinable
    @discardableResult
    public mutating func set(_ value: Value, host: String?, prefix: String) -> Bool {
        guard let index = keys.insert(host: host, prefix: prefix) else { return false }
        if index < values.count {
            values[index] = value
        } else {
            values.append(value)
        }
        return true
    }

    /// Removes the route of exactly this host and prefix; longer ones stay.
    ///
    /// - Returns: whether there was one.
    @inlinable
    @discardableResult
    public mutating func remove(host: String?, prefix: String) -> Bool {
        guard let index = keys.remove(host: host, prefix: prefix) else { return false }
        // As the keys do: the last one takes the place.
        values.swapAt(index, values.count - 1)
        values.removeLast()
        values.releaseUnused()
        return true
    }

    /// As ``set(_:host:prefix:)``.
    ///
    /// - Returns: the route that had its place.
    @inlinable
    public mutating func replace(_ value: Value, host: String?, prefix: String) -> Value? {
        guard let index = keys.insert(host: host, prefix: prefix) else { return nil }
        guard index < values.count else {
            values.append(value)
            return nil
        }
        defer { values[index] = value }
        return values[index]
    }

    /// The route of exactly this host and prefix.
    @inlinable
    public func value(host: String?, prefix: String) -> Value? {
        keys.index(host: host, prefix: prefix).map { values[$0] }
    }

    /// Looks a path up, as received. A plain path is walked in place.
    ///
    /// - Parameters:
    ///   - host: Host as received; empty where there is none.
    ///   - reading: what `PathReading.check(_:)` said of the path.
    @inlinable
    public func match(
        host: borrowing Span<UInt8>, path: borrowing Span<UInt8>, _ reading: PathReading
    ) -> RouteMatch<Value> {
        switch keys.match(host: host, path: path, reading) {
        case .route(let index): .route(values[index])
        case .none: .none
        case .disagreeing: .disagreeing
        }
    }
}

extension RouteTable: Sendable where Value: Sendable {}

extension Array {
    /// Gives memory back once three quarters of it are unused.
    @inlinable
    mutating func releaseUnused() {
        guard capacity > 64, count < capacity / 4 else { return }
        var fewer: [Element] = []
        fewer.reserveCapacity(count * 2)
        fewer.append(contentsOf: self)
        self = fewer
    }
}
