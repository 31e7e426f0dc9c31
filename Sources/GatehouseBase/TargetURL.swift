/// Where a route leads, as JupyterHub writes it: `http://10.0.0.7:8888`, `https://host/path`,
/// `http+unix://%2Frun%2Fserver.sock`.
///
/// More is taken than an ``Origin`` has: a path and a query come before those of requests, and a
/// user name is passed over. Bytes that no request line may hold are percent-encoded.
public struct TargetURL: Sendable, Hashable {
    /// The two kinds of addresses.
    public enum Place: Sendable, Hashable {
        /// A name in lower case, or an address without brackets.
        case tcp(host: String, port: UInt16)
        /// The path of a UNIX socket.
        case unix(String)
    }

    public let place: Place
    public let isTLS: Bool
    /// Begins with `/` and does not end with one; empty for the root.
    public let path: [UInt8]
    /// Whether a slash stood behind the path, as it does behind a folder's.
    public let isFolder: Bool
    /// Without its question mark; empty where there is none.
    public let query: [UInt8]

    /// Reads a URL; nil where it is none that can be reached.
    public init?(parsing text: String) {
        let bytes = Array(text.utf8)
        let separator = Array("://".utf8)
        let colon = bytes.indices.first { bytes[$0...].starts(with: separator) }
        guard let colon else { return nil }
        let rest = bytes[(colon + separator.count)...]
        let end = rest.firstIndex(where: TargetURL.endsAuthority) ?? rest.endIndex
        let tail = rest[end...].prefix { $0 != UInt8(ascii: "#") }
        let question = tail.firstIndex(of: UInt8(ascii: "?")) ?? tail.endIndex
        let path = TargetURL.path(tail[..<question])
        isFolder = path.last == UInt8(ascii: "/")
        self.path = isFolder ? path.dropLast() : path
        query = TargetURL.cleaned(tail[question...].dropFirst())
        var authority = rest[..<end]
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
            authority = authority[(at + 1)...]
        }
        switch String(decoding: bytes[..<colon], as: UTF8.self).lowercased() {
        case let scheme where scheme == "http" || scheme == "https":
            isTLS = scheme == "https"
            let port: UInt16 = isTLS ? 443 : 80
            guard let server = try? Origin.hostAndPort(authority, defaultPort: port) else {
                return nil
            }
            place = .tcp(host: server.0, port: server.1)
        case "http+unix", "unix+http":
            let name = String(decoding: authority, as: UTF8.self)
            guard let socket = PercentCoding.decode(name), socket.hasPrefix("/"),
                socket.utf8.count <= 107, !socket.utf8.contains(0)
            else { return nil }
            place = .unix(socket)
            isTLS = false
        default: return nil
        }
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\\"): true
        default: false
        }
    }

    private static func path(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var path = cleaned(bytes)
        for index in path.indices where path[index] == UInt8(ascii: "\\") {
            path[index] = UInt8(ascii: "/")
        }
        return path
    }

    private static func cleaned(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var clean: [UInt8] = []
        for byte in bytes {
            if ASCII.isTarget(byte), !"\"<>".utf8.contains(byte) {
                clean.append(byte)
            } else {
                PercentCoding.escape(byte, into: &clean)
            }
        }
        return clean
    }
}
