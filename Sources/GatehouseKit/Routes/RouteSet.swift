import GatehouseBase

/// Routes by their address, which each brings along.
struct RouteSet {
    private enum Element: Hashable {
        case route(Route)
        /// To look for one.
        case address([UInt8])

        private var bytes: ArraySlice<UInt8> {
            switch self {
            case .route(let route): route.name
            case .address(let bytes): bytes[...]
            }
        }

        static func == (left: Element, right: Element) -> Bool { left.bytes == right.bytes }

        func hash(into hasher: inout Hasher) { hasher.combine(bytes.span) }
    }

    private var elements: Set<Element> = []

    var count: Int { elements.count }

    subscript(address: RouteAddress) -> Route? {
        guard let index = elements.firstIndex(of: .address(address.bytes)),
            case .route(let route) = elements[index]
        else { return nil }
        return route
    }

    /// - Returns: whether another one had its place.
    mutating func put(_ route: Route) -> Bool { elements.update(with: .route(route)) != nil }

    /// - Returns: whether there was one.
    mutating func remove(_ address: RouteAddress) -> Bool {
        elements.remove(.address(address.bytes)) != nil
    }

    /// All of them, in no order.
    var all: some Sequence<Route> {
        elements.lazy.compactMap { element in
            if case .route(let route) = element { route } else { nil }
        }
    }
}
