import GatehouseBase

/// The path of an access rule: literal segments, `*` for one, `**` for the rest.
///
/// `/admin/**` covers `/admin`, and an empty last segment counts as none: `/admin/` is `/admin`.
public struct PathPattern: Sendable, Equatable {
    /// One segment of a pattern.
    public enum Segment: Sendable, Equatable {
        /// Exactly this, compared with a decoded segment byte for byte.
        case literal([UInt8])
        /// Any one segment that is not empty.
        case any
    }

    public let segments: [Segment]
    /// Whether zero or more segments may follow.
    public let coversRest: Bool

    public init(segments: [Segment], coversRest: Bool) {
        self.segments = segments
        self.coversRest = coversRest
    }

    /// Reads `/user/*/**`; nil for a path without leading `/`, empty or dot segments, `*` within
    /// a segment and `**` before the end.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "/") else { return nil }
        var parts = bytes.dropFirst().split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if parts.count == 1, parts[0].isEmpty { parts = [] }
        coversRest = parts.last.map { Array($0) == Array("**".utf8) } ?? false
        if coversRest { parts.removeLast() }
        var segments: [Segment] = []
        for part in parts {
            if part.count == 1, part.first == UInt8(ascii: "*") {
                segments.append(.any)
                continue
            }
            guard !part.isEmpty, !part.contains(UInt8(ascii: "*")),
                !part.allSatisfy({ $0 == UInt8(ascii: ".") }) || part.count > 2
            else { return nil }
            segments.append(.literal(Array(part)))
        }
        self.segments = segments
    }

    /// Matches segments of one reading.
    func matches(_ reading: PathSegments) -> Bool {
        guard reading.count == segments.count || (coversRest && reading.count > segments.count)
        else { return false }
        for (place, segment) in segments.enumerated() {
            switch segment {
            case .literal(let bytes): if !reading.has(bytes, at: place) { return false }
            case .any: if reading[place].isEmpty { return false }
            }
        }
        return true
    }

    /// Matches a plain path as it stands: no segment is copied.
    func matches(plain path: borrowing Span<UInt8>) -> Bool {
        var index = 1
        for segment in segments {
            guard index < path.count else { return false }
            var end = index
            switch segment {
            case .any:
                while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
            case .literal(let bytes):
                end = index + bytes.count
                guard end <= path.count, end == path.count || path[end] == UInt8(ascii: "/") else {
                    return false
                }
                for offset in bytes.indices where path[index + offset] != bytes[offset] {
                    return false
                }
            }
            index = end + 1
        }
        return coversRest || index >= path.count
    }
}
