import GatehouseBase

/// An absolute http or https URL of a provider, as far as trust depends on it.
struct EndpointURL {
    let text: String
    let scheme: String
    /// In lower case, with brackets around IPv6.
    let host: String
    let port: Int
    /// Path and query.
    let rest: String

    /// Nil for everything that two readers could read differently: userinfo, fragments, blanks,
    /// backslashes, bytes beyond ASCII, dot segments.
    init?(_ text: String) {
        guard text.utf8.count <= OIDCLimits.url,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
            !text.contains("#"), !text.contains("@")
        else { return nil }
        if text.hasPrefix("https://") {
            scheme = "https"
        } else if text.hasPrefix("http://") {
            scheme = "http"
        } else {
            return nil
        }
        let afterScheme = text.dropFirst(scheme.count + 3)
        let authority = afterScheme.prefix { $0 != "/" && $0 != "?" }
        rest = String(afterScheme.dropFirst(authority.count))
        guard rest.isEmpty || rest.hasPrefix("/"), !Self.hasDots(rest),
            let (host, port) = Self.split(authority, scheme)
        else { return nil }
        self.host = host
        self.port = port
        self.text = text
    }

    /// A name that stays on this machine, or 127.0.0.0/8 or ::1.
    var isLoopback: Bool {
        if host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]" { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers.first == "127"
            && numbers.allSatisfy { $0.count <= 3 && UInt8($0) != nil }
    }

    /// Encrypted, or never on a wire.
    var isSafe: Bool { scheme == "https" || isLoopback }

    func hasOrigin(of other: EndpointURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// The part after `base`, where this is `base` or something below it.
    func remainder(below base: EndpointURL) -> String? {
        guard hasOrigin(of: base), !base.rest.contains("?") else { return nil }
        let prefix = base.rest.hasSuffix("/") ? String(base.rest.dropLast()) : base.rest
        guard rest.hasPrefix(prefix) else { return nil }
        let remainder = rest.dropFirst(prefix.count)
        guard remainder.isEmpty || remainder.hasPrefix("/") || remainder.hasPrefix("?") else {
            return nil
        }
        return String(remainder)
    }

    /// `base` and `remainder` with one slash between them.
    static func join(_ base: EndpointURL, _ remainder: String) -> String {
        (base.text.hasSuffix("/") ? String(base.text.dropLast()) : base.text) + remainder
    }

    /// `endpoint` with `fields` in its query.
    static func append(_ fields: [(String, String)], to endpoint: String) -> String {
        let joint =
            if !endpoint.contains("?") { "?" } else if endpoint.hasSuffix("?") { "" } else { "&" }
        return endpoint + joint + FormFields.encode(fields)
    }

    private static func hasDots(_ rest: String) -> Bool {
        rest.prefix { $0 != "?" }.split(separator: "/").contains { segment in
            let plain = segment.lowercased().split(
                separator: "%2e", omittingEmptySubsequences: false
            )
            .joined(separator: ".")
            return plain == "." || plain == ".."
        }
    }

    private static func split(_ authority: Substring, _ scheme: String) -> (String, Int)? {
        let name: Substring
        let tail: Substring
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            name = authority[...close]
            tail = authority[authority.index(after: close)...]
        } else {
            name = authority.prefix { $0 != ":" }
            tail = authority.dropFirst(name.count)
        }
        guard !name.isEmpty, name != "[]" else { return nil }
        guard !tail.isEmpty else { return (name.lowercased(), scheme == "https" ? 443 : 80) }
        let digits = tail.dropFirst()
        guard tail.hasPrefix(":"), digits.allSatisfy(\.isNumber), let port = UInt16(digits),
            port > 0
        else { return nil }
        return (name.lowercased(), Int(port))
    }
}
