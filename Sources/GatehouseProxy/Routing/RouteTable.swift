public import GatehouseBase

/// What a look-up found. It is shown to nobody before the gate has passed.
public enum RouteMatch: Equatable, Sendable {
    case route(Int)
    case none
    /// Backends could read the path in ways that lead to different routes (400).
    case disagreeing
}

/// Routes by host and path prefix: the longest prefix of whole segments wins, a route of the host
/// before one of any host. Each loop owns its table; what it holds is an index into a list of the
/// owner's.
public struct RouteTable: Sendable {
    private struct Node: Sendable {
        var route: Int?
        var children: [Child] = []
    }

    private struct Child: Sendable {
        let segment: [UInt8]
        let node: Int
    }

    private var nodes: [Node] = [Node()]
    private var hosts: [(name: [UInt8], root: Int)] = []

    public init() {}

    /// Adds or replaces a route.
    /// - Parameters:
    ///   - host: lower case without port; nil: any host.
    ///   - prefix: a path such as `/user/alice`; `/` covers everything.
    public mutating func set(_ route: Int, host: String?, prefix: String) {
        var node = root(host)
        for segment in prefix.utf8.split(separator: 0x2F) {
            node = child(of: node, Array(segment))
        }
        nodes[node].route = route
    }

    private mutating func root(_ host: String?) -> Int {
        guard let host else { return 0 }
        let name = Array(host.utf8)
        if let known = hosts.first(where: { $0.name == name }) { return known.root }
        nodes.append(Node())
        hosts.append((name: name, root: nodes.count - 1))
        return nodes.count - 1
    }

    private mutating func child(of parent: Int, _ segment: [UInt8]) -> Int {
        if let known = nodes[parent].children.first(where: { $0.segment == segment }) {
            return known.node
        }
        nodes.append(Node())
        nodes[parent].children.append(Child(segment: segment, node: nodes.count - 1))
        return nodes.count - 1
    }

    /// Looks a path up, as received. A plain path is walked in place; any other must lead to the
    /// same route in all its readings.
    /// - Parameter host: Host as received.
    public func match(
        host: borrowing Span<UInt8>, path: borrowing Span<UInt8>, _ reading: PathReading
    ) -> RouteMatch {
        let hostRoot = hosts.isEmpty ? nil : hostRoot(host)
        guard reading == .special else {
            if let hostRoot, let found = walk(hostRoot, path) { return .route(found) }
            return walk(0, path).map { .route($0) } ?? .none
        }
        var agreed: RouteMatch?
        for segments in PathReading.readings(of: path) {
            let found =
                hostRoot.flatMap { walk($0, segments) } ?? walk(0, segments)
            let match: RouteMatch = found.map { .route($0) } ?? .none
            if let agreed, agreed != match { return .disagreeing }
            agreed = match
        }
        return agreed ?? .none
    }

    private func hostRoot(_ host: borrowing Span<UInt8>) -> Int? {
        var count = 0
        // Without port; an IPv6 address keeps its brackets.
        var isBracketed = false
        while count < host.count {
            let byte = host[count]
            if byte == 0x5B { isBracketed = true }
            if byte == 0x5D { isBracketed = false }
            if byte == 0x3A, !isBracketed { break }
            count += 1
        }
        if count > 0, host[count - 1] == 0x2E { count -= 1 }
        for candidate in hosts where candidate.name.count == count {
            var isEqual = true
            for index in 0..<count
            where ASCII.lowercased(host[index]) != candidate.name[index] {
                isEqual = false
                break
            }
            if isEqual { return candidate.root }
        }
        return nil
    }

    private func walk(_ root: Int, _ path: borrowing Span<UInt8>) -> Int? {
        var node = root
        var found = nodes[node].route
        var index = 0
        while index < path.count {
            while index < path.count, path[index] == 0x2F { index += 1 }
            let start = index
            while index < path.count, path[index] != 0x2F { index += 1 }
            guard index > start, let next = next(node, path.extracting(start..<index)) else {
                break
            }
            node = next
            found = nodes[node].route ?? found
        }
        return found
    }

    private func walk(_ root: Int, _ segments: [[UInt8]]) -> Int? {
        var node = root
        var found = nodes[node].route
        for segment in segments {
            guard let next = next(node, segment.span) else { break }
            node = next
            found = nodes[node].route ?? found
        }
        return found
    }

    private func next(_ node: Int, _ segment: borrowing Span<UInt8>) -> Int? {
        for child in nodes[node].children where child.segment.span.equals(segment) {
            return child.node
        }
        return nil
    }
}
