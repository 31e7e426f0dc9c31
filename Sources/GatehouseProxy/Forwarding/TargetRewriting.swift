public import GatehouseBase
import GatehouseHTTP

/// How a request's target changes on its way: the upstream's own path and query before it, the
/// route's prefix cut off it.
public struct TargetRewriting: Sendable {
    /// Begins with `/` and does not end with one; empty for none.
    let path: [UInt8]
    /// Whether a slash stands behind the path where nothing else does.
    let isFolder: Bool
    /// Without question mark.
    let query: [UInt8]
    /// The route's prefix as it reads when decoded, without slash at its end; empty: it stays.
    let cut: [UInt8]

    public init(
        path: [UInt8] = [], isFolder: Bool = false, query: [UInt8] = [],
        cutting prefix: [UInt8] = []
    ) {
        self.path = path
        self.isFolder = isFolder
        self.query = query
        cut = prefix.last == 0x2F ? prefix.dropLast() : prefix
    }

    /// Whether it leaves every target as it is.
    public var isEmpty: Bool { path.isEmpty && query.isEmpty && cut.isEmpty }

    /// Appends what the upstream gets of `target`, which is a path and, behind a question mark, a
    /// query.
    public func append(_ target: borrowing Span<UInt8>, to buffer: inout ByteBuffer) {
        let end = target.offset(of: 0x3F, from: 0)
        let rest = target.extracting(0..<end)
        let start = TargetRewriting.end(of: cut, in: rest)
        buffer.append(path)
        // What asks for the prefix itself gets the upstream's own path, without a slash more.
        let isWhole = start == rest.count && !path.isEmpty && !isFolder
        if !isWhole, start == rest.count || rest[start] != 0x2F { buffer.append(0x2F) }
        buffer.append(rest.extracting(start..<rest.count))
        guard !query.isEmpty || target.count > end else { return }
        let asked = target.extracting(min(end + 1, target.count)..<target.count)
        buffer.append(0x3F)
        buffer.append(query)
        if !query.isEmpty, !asked.isEmpty { buffer.append(0x26) }
        buffer.append(asked)
    }

    /// Where a raw path goes on behind a decoded prefix that it begins with: an escape counts as
    /// the byte that it stands for, slashes at the very beginning as one.
    static func end(of prefix: [UInt8], in path: borrowing Span<UInt8>) -> Int {
        guard !prefix.isEmpty else { return 0 }
        var index = 0
        while index + 1 < path.count, path[index] == 0x2F, path[index + 1] == 0x2F { index += 1 }
        for byte in prefix {
            guard index < path.count else { return 0 }
            if path[index] == byte {
                index += 1
            } else if path[index] == 0x25, index + 2 < path.count,
                let high = ASCII.hexValue(path[index + 1]),
                let low = ASCII.hexValue(path[index + 2]), high << 4 | low == byte
            {
                index += 3
            } else {
                return 0
            }
        }
        return index
    }
}

/// A Location that names an upstream by its own address, for a client that knows another one.
enum LocationField {
    /// The value to send in place of `value`; nil where it stays.
    ///
    /// - Parameters:
    ///   - authority: the target's, host and port.
    ///   - host: the request's Host.
    static func rewritten(
        _ value: String, authority: String, host: String,
        _ rewriting: ForwardingOptions.LocationRewriting
    ) -> String? {
        guard let colon = value.firstRange(of: "://") else { return nil }
        let rest = value[colon.upperBound...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        guard rest[..<end].lowercased() == authority.lowercased() else { return nil }
        let scheme = rewriting.scheme ?? String(value[..<colon.lowerBound])
        let shown = rewriting.host ? host : String(rest[..<end])
        return "\(scheme)://\(shown)\(rest[end...])"
    }

    /// Whether answers of this status are rewritten: those that configurable-http-proxy's library
    /// rewrites, and 303.
    static func isRewritten(_ status: Int) -> Bool {
        status == 201 || status == 301 || status == 302 || status == 303 || status == 307
            || status == 308
    }
}
