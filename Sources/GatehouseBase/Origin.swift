/// An origin of the web: scheme, host and port (RFC 6454 §4), such as `https://hub.example.org`.
///
/// The host is held in lower case and without a trailing dot. An IPv6 address is held without its
/// brackets; ``description`` and ``authority`` write them.
public struct Origin: Sendable, Hashable, CustomStringConvertible {
    /// The two schemes there are.
    public enum Scheme: String, Sendable, Hashable {
        case http, https

        /// The port that goes without saying (RFC 9110 §4.2).
        public var defaultPort: UInt16 { self == .https ? 443 : 80 }
    }

    /// Why a text is no origin.
    public enum ParseError: Error, Sendable, Equatable {
        /// It begins with neither `http://` nor `https://`.
        case noScheme
        /// Something that ends in `@` stands before the host.
        case userInformation
        /// A path, a query or a fragment follows; even a bare `/` does.
        case path
        /// The host is empty or holds a byte that no host name or address has.
        case host
        /// The port is no number from 1 to 65535.
        case port

        /// The reason, to stand after "'…' is no origin: ".
        public var reason: String {
            switch self {
            case .noScheme: "it begins with neither http:// nor https://"
            case .userInformation: "it holds a user name before the host"
            case .path: "it goes on after host and port"
            case .host: "its host is neither a name nor an address"
            case .port: "its port is no number from 1 to 65535"
            }
        }
    }

    public let scheme: Scheme
    /// A name in lower case, an IPv4 address, or an IPv6 address without brackets.
    public let host: String
    public let port: UInt16

    /// Takes the parts as they are; `host` must be what ``host`` describes.
    public init(scheme: Scheme, host: String, port: UInt16) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    /// Reads `scheme://host[:port]` and nothing more.
    public init(parsing text: String) throws(ParseError) {
        let bytes = Array(text.utf8)
        let lowered = bytes.prefix(8).map(ASCII.lowercased)
        let rest: ArraySlice<UInt8>
        if lowered.starts(with: Array("https://".utf8)) {
            scheme = .https
            rest = bytes[8...]
        } else if lowered.starts(with: Array("http://".utf8)) {
            scheme = .http
            rest = bytes[7...]
        } else {
            throw .noScheme
        }
        let delimiters = Array("/?#\\".utf8)
        let authority = rest.prefix { !delimiters.contains($0) }
        if authority.contains(UInt8(ascii: "@")) { throw .userInformation }
        if authority.count < rest.count { throw .path }
        (host, port) = try Origin.hostAndPort(authority, defaultPort: scheme.defaultPort)
    }

    /// Host and port as they stand in a Host field: the port only where it is not the default.
    public var authority: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return port == scheme.defaultPort ? name : "\(name):\(port)"
    }

    /// `https://host` or `https://host:port`; reads back as the same origin.
    public var description: String { "\(scheme.rawValue)://\(authority)" }

    /// Whether the host is this machine by its name or address: `localhost`, a name below it
    /// (RFC 6761 §6.3), 127.0.0.0/8 or `::1`.
    public var isLoopback: Bool {
        if host == "localhost" || host.hasSuffix(".localhost") || host == "::1" { return true }
        return host.hasPrefix("127.") && Origin.isIPv4(Array(host.utf8)[...])
    }

    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
    static func hostAndPort(
        _ authority: ArraySlice<UInt8>, defaultPort: UInt16
    ) throws(ParseError) -> (String, UInt16) {
        let colon = UInt8(ascii: ":")
        var name = authority
        var digits: ArraySlice<UInt8>?
        if authority.first == UInt8(ascii: "[") {
            guard let end = authority.firstIndex(of: UInt8(ascii: "]")) else { throw .host }
            name = authority[(authority.startIndex + 1)..<end]
            let after = authority[(end + 1)...]
            if !after.isEmpty {
                guard after.first == colon else { throw .host }
                digits = after.dropFirst()
            }
            guard isIPv6(name) else { throw .host }
        } else {
            if let first = authority.firstIndex(of: colon) {
                name = authority[..<first]
                digits = authority[(first + 1)...]
            }
            if name.last == UInt8(ascii: ".") { name = name.dropLast() }
            guard isHostName(name) else { throw .host }
        }
        let host = String(decoding: name.map(ASCII.lowercased), as: UTF8.self)
        guard let digits else { return (host, defaultPort) }
        guard digits.count <= 5, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(String(decoding: digits, as: UTF8.self)), port > 0
        else { throw .port }
        return (host, port)
    }

    /// Letters, digits, `-`, `_` (container networks use it) in labels of 1 to 63 bytes. A name
    /// whose last label is a number must be an IPv4 address, or resolvers would read it as one.
    private static func isHostName(_ name: ArraySlice<UInt8>) -> Bool {
        guard !name.isEmpty, name.count <= 253 else { return false }
        var labelLength = 0
        var isNumber = true
        for byte in name {
            if byte == UInt8(ascii: ".") {
                guard (1...63).contains(labelLength) else { return false }
                labelLength = 0
                isNumber = true
                continue
            }
            labelLength += 1
            if ASCII.isDigit(byte) { continue }
            isNumber = false
            guard
                (0x61...0x7A).contains(ASCII.lowercased(byte)) || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            else { return false }
        }
        guard (1...63).contains(labelLength) else { return false }
        return !isNumber || isIPv4(name)
    }

    private static func isIPv4(_ text: ArraySlice<UInt8>) -> Bool {
        IPAddress.bytes(text.span)?.count == 4
    }

    /// In the text of RFC 4291 §2.2, without a zone.
    private static func isIPv6(_ text: ArraySlice<UInt8>) -> Bool {
        IPAddress.bytes(text.span)?.count == 16
    }
}
