import GatehouseBase

/// The address of a route of the API: a decoded path such as `/user/alice`, or, with host routing,
/// `/hub.example.org/user/alice`.
struct RouteAddress: Hashable, Sendable {
    /// Compared by bytes: Swift takes canonically equivalent texts for equal.
    let bytes: [UInt8]

    func hash(into hasher: inout Hasher) { hasher.combine(bytes.span) }

    /// One slash before the path, none behind it: the look-up tells no others apart.
    init(_ path: String) {
        let inner = path.utf8.drop { $0 == 0x2F }
        bytes = [0x2F] + inner.prefix(inner.count - inner.reversed().prefix { $0 == 0x2F }.count)
    }

    /// With host routing: hosts are the same in either case.
    init(_ path: String, hostRouting: Bool) {
        let plain = RouteAddress(path)
        guard hostRouting else {
            self = plain
            return
        }
        let end = plain.bytes.dropFirst().firstIndex(of: 0x2F) ?? plain.bytes.endIndex
        bytes = plain.bytes[..<end].map(ASCII.lowercased) + plain.bytes[end...]
    }

    /// Of a route of the API.
    init(of route: Route) { bytes = Array(route.name) }

    var path: String { String(decoding: bytes, as: UTF8.self) }

    /// Host and prefix for a look-up; the host is nil without host routing.
    func key(hostRouting: Bool) -> (host: String?, prefix: String) {
        guard hostRouting else { return (nil, path) }
        let rest = bytes.dropFirst()
        let end = rest.firstIndex(of: 0x2F) ?? rest.endIndex
        let host = String(decoding: rest[..<end], as: UTF8.self).lowercased()
        let prefix = String(decoding: rest[end...], as: UTF8.self)
        // `/` alone is the route of every host.
        return (host.isEmpty ? nil : host, prefix.isEmpty ? "/" : prefix)
    }
}
