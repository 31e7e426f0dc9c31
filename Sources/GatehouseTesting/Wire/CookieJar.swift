/// The cookies of a ``TestClient``, by host and path as RFC 6265 has it; without their ends.
struct CookieJar: Sendable {
    private struct Cookie: Sendable {
        let name: String
        var value: String
        let host: String
        let path: String
    }

    private var cookies: [Cookie] = []

    /// Takes the value of a Set-Cookie line.
    mutating func take(_ line: String, from url: TestURL) {
        let parts = line.split(separator: ";").map { trimmed($0) }
        guard let pair = parts.first, let equals = pair.firstIndex(of: "=") else { return }
        let name = String(pair[..<equals])
        let value = String(pair[pair.index(after: equals)...])
        var path = url.path.lastIndex(of: "/").map { String(url.path[..<$0]) } ?? "/"
        if path.isEmpty { path = "/" }
        var isRemoval = false
        for attribute in parts.dropFirst() {
            let lowered = attribute.lowercased()
            if lowered.hasPrefix("path=/") { path = String(attribute.dropFirst(5)) }
            if lowered == "max-age=0" { isRemoval = true }
        }
        cookies.removeAll { $0.name == name && $0.host == url.host && $0.path == path }
        guard !isRemoval else { return }
        cookies.append(Cookie(name: name, value: value, host: url.host, path: path))
    }

    /// The value of the Cookie field for a request, longer paths first (RFC 6265 §5.4).
    func field(for url: TestURL) -> String {
        cookies
            .filter { $0.host == url.host && covers($0.path, url.path) }
            .sorted { $0.path.utf8.count > $1.path.utf8.count }
            .map { "\($0.name)=\($0.value)" }
            .joined(separator: "; ")
    }

    private func covers(_ prefix: String, _ path: String) -> Bool {
        guard path.hasPrefix(prefix) else { return false }
        return prefix.hasSuffix("/") || path.count == prefix.count
            || path.dropFirst(prefix.count).first == "/"
    }

    private func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
