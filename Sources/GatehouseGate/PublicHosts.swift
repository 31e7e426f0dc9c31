import GatehouseBase
import GatehouseHTTP

/// The public URLs, ready to be compared with Host.
struct PublicHosts: Sendable {
    struct Entry: Sendable {
        let origin: Origin
        /// The host as it stands in a Host field, without port.
        let name: [UInt8]
        /// The origin as it stands in an Origin field.
        let text: [UInt8]
        /// The host of rules and sessions.
        let host: String
    }

    let entries: [Entry]

    init(_ origins: [Origin]) {
        entries = origins.map { origin in
            let isIPv6 = origin.host.utf8.contains(UInt8(ascii: ":"))
            return Entry(
                origin: origin,
                name: Array((isIPv6 ? "[\(origin.host)]" : origin.host).utf8),
                text: Array(origin.description.utf8), host: origin.host)
        }
    }

    /// Which public URL a request is for; nil for none.
    ///
    /// Compared in lower case, without trailing dot and default port. Without TLS the port counts
    /// as nothing: such a request gets no more than the address of the right place.
    func index(of request: borrowing RequestHead, isTLS: Bool) -> Int? {
        guard let line = request.fields.firstIndex(of: .host) else { return nil }
        let value = request.fields.value(at: line)
        let (nameCount, port) = PublicHosts.split(value)
        let name = value.extracting(0..<nameCount)
        for index in entries.indices where equal(entries[index].name, name) {
            if !isTLS || (port ?? 443) == Int(entries[index].origin.port) { return index }
        }
        return nil
    }

    /// The host of a request in lower case and without port, where any host is served.
    static func name(of request: borrowing RequestHead) -> String? {
        guard let line = request.fields.firstIndex(of: .host) else { return nil }
        let value = request.fields.value(at: line)
        let bytes = value.extracting(0..<split(value).nameCount).array
        let isIPv6 = bytes.first == UInt8(ascii: "[")
        let name = isIPv6 ? Array(bytes.dropFirst().dropLast()) : bytes
        return String(decoding: name.map(ASCII.lowercased), as: UTF8.self)
    }

    private func equal(_ name: [UInt8], _ other: borrowing Span<UInt8>) -> Bool {
        guard name.count == other.count else { return false }
        for index in name.indices where ASCII.lowercased(other[index]) != name[index] {
            return false
        }
        return true
    }

    /// How long the name is, and the port; -1 for what is none.
    private static func split(_ value: borrowing Span<UInt8>) -> (nameCount: Int, port: Int?) {
        var end = value.count
        var port: Int?
        var colon = value.count - 1
        while colon >= 0, ASCII.isDigit(value[colon]) { colon -= 1 }
        if colon >= 0, value[colon] == UInt8(ascii: ":") {
            end = colon
            if colon + 1 < value.count, value.count - colon <= 6 {
                port = 0
                for index in colon + 1..<value.count {
                    port = (port ?? 0) * 10 + Int(value[index] & 15)
                }
            } else {
                port = -1
            }
        }
        if end > 0, value[end - 1] == UInt8(ascii: ".") { end -= 1 }
        return (end, port)
    }
}
