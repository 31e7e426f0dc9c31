import GatehouseBase

/// The address of a route of the API: a decoded path such as `/user/alice`, or, with host routing,
/// `/hub.example.org/user/alice`.
struct RouteAddress: Hashable, Sendable {
    /// Compared by bytes: Swift takes canonically equivalent texts for equal.
    private let bytes: [UInt8]

    /// Puts a slash before a path and takes one off its end.
    init(_ path: String) {
        var bytes = Array(path.utf8)
        if bytes.first != 0x2F { bytes.insert(0x2F, at: 0) }
        if bytes.count > 1, bytes.last == 0x2F { bytes.removeLast() }
        self.bytes = bytes
    }

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
