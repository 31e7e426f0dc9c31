/// An absolute URL of a test, taken apart.
public struct TestURL: Sendable, Equatable {
    public let isSecure: Bool
    /// Without port.
    public let host: String
    public let port: UInt16
    /// Path and query.
    public let target: String

    /// Nil where `text` is no `http` or `https` URL.
    public init?(_ text: String) {
        guard let colon = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<colon.lowerBound]
        guard scheme == "http" || scheme == "https" else { return nil }
        isSecure = scheme == "https"
        let rest = text[colon.upperBound...].prefix { $0 != "#" }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let parts = rest[..<end].split(separator: ":", maxSplits: 1)
        guard let host = parts.first else { return nil }
        self.host = String(host)
        guard parts.count == 2 else {
            port = isSecure ? 443 : 80
            target = TestURL.path(rest[end...])
            return
        }
        guard let port = UInt16(parts[1]) else { return nil }
        self.port = port
        target = TestURL.path(rest[end...])
    }

    private static func path(_ text: Substring) -> String {
        text.first == "/" ? String(text) : "/" + text
    }

    /// Without the query.
    public var path: String { String(target.prefix { $0 != "?" }) }

    /// The query without its question mark.
    public var query: String { String(target.drop { $0 != "?" }.dropFirst()) }

    /// For Host: without the default port.
    public var authority: String {
        port == (isSecure ? 443 : 80) ? host : "\(host):\(port)"
    }

    /// Scheme and authority.
    public var origin: String { (isSecure ? "https://" : "http://") + authority }

    /// What a reference found at this URL leads to.
    public func resolved(_ reference: String) -> String {
        if reference.contains("://") { return reference }
        if reference.hasPrefix("/") { return origin + reference }
        if reference.hasPrefix("?") { return origin + path + reference }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return origin + folder + reference
    }

    /// The whole of it.
    public var text: String { origin + target }
}
