/// How a path stands to the rules of reading one (RFC 3986 §3.3, §6.2.2).
///
/// Backends read paths differently: some decode before they split, some after, some take `\` for
/// `/`, some cut `;…` off a segment, some decode twice. A path in which that can make no
/// difference is ``plain`` and costs one scan. Any other is read in four ways (``readings(of:)``),
/// and whoever decides something by a path must find that all four decide alike.
public enum PathReading: Sendable, Equatable {
    /// Not to be served by anybody: 400.
    case invalid
    /// All readings are the segments as they stand.
    case plain
    /// Holds `%`, `\`, `;` or `//`.
    case special

    /// Reads a path once.
    ///
    /// Invalid are: no leading `/`, control characters, blanks, `#`, bytes beyond ASCII, `%`
    /// without two hexadecimal digits, `%00`, escapes that are no UTF-8, and segments that are or
    /// decode to `.` or `..`.
    public static func check(_ path: borrowing Span<UInt8>) -> PathReading {
        guard !path.isEmpty, path[0] == slash else { return .invalid }
        var isSpecial = false
        var isForeign = false
        var dots = 0
        var others = 0
        var index = 1
        while index < path.count {
            var byte = path[index]
            index += 1
            if byte == slash {
                if dots + others == 0 { isSpecial = true }
                if others == 0, dots == 1 || dots == 2 { return .invalid }
                dots = 0
                others = 0
                continue
            }
            guard ASCII.isTarget(byte) else { return .invalid }
            if byte == percent {
                guard let value = escape(path, at: index), value != 0 else { return .invalid }
                byte = value
                index += 2
                isSpecial = true
                if value >= 0x80 { isForeign = true }
            } else if byte == backslash || byte == semicolon {
                isSpecial = true
            }
            if byte == dot { dots += 1 } else { others += 1 }
        }
        if others == 0, dots == 1 || dots == 2 { return .invalid }
        if isForeign, String(validating: decoded(path.array), as: UTF8.self) == nil {
            return .invalid
        }
        return isSpecial ? .special : .plain
    }

    /// The four readings of a path that ``check(_:)`` finds special, each as its segments.
    ///
    /// 0. Split on `/`, then decode each segment.
    /// 1. Decode all, take `\` for `/`, drop empty segments, resolve dots.
    /// 2. As 1, and cut `;…` from segments.
    /// 3. As 1, decoded twice; an escape that is bad the second time stays as it is.
    ///
    /// An empty last segment is dropped in all of them: `/admin/` is `/admin`. Segments are bytes,
    /// because twice decoded ones need not be UTF-8.
    public static func readings(of path: borrowing Span<UInt8>) -> [PathSegments] {
        let once = decoded(path.array)
        return [
            split(path),
            resolved(once, cutting: false),
            resolved(once, cutting: true),
            resolved(decoded(once), cutting: false),
        ]
    }

    /// A path as configurable-http-proxy reads it to choose a route: `\` as it stands is `/`, then all
    /// is decoded once. One `/` leads; each further one begins a segment, also an empty one.
    ///
    /// That is reading 1, but empty segments count, an encoded `\` is a character of a name (as in
    /// `DOMAIN\user`), and dots that were hidden by `%2F` or `\` are names too: a browser, which sends
    /// cookies by path, does not resolve them either.
    public static func routed(_ path: borrowing Span<UInt8>) -> [UInt8] {
        var result = decoded(path.array.map { $0 == backslash ? slash : $0 })
        let first = result.firstIndex { $0 != slash } ?? result.count
        result.replaceSubrange(..<first, with: CollectionOfOne(slash))
        return result
    }

    /// The segments of a plain path.
    public static func plainSegments(of path: borrowing Span<UInt8>) -> PathSegments {
        split(path)
    }

    private static let slash = UInt8(ascii: "/")
    private static let backslash = UInt8(ascii: "\\")
    private static let percent = UInt8(ascii: "%")
    private static let semicolon = UInt8(ascii: ";")
    private static let dot = UInt8(ascii: ".")

    /// The value of the two digits at `index`.
    private static func escape(_ path: borrowing Span<UInt8>, at index: Int) -> UInt8? {
        guard index + 1 < path.count, let high = ASCII.hexValue(path[index]),
            let low = ASCII.hexValue(path[index + 1])
        else { return nil }
        return high << 4 | low
    }

    /// Escapes decoded; what is no escape stays.
    private static func decoded(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == percent, let value = escape(bytes.span, at: index + 1) {
                result.append(value)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    /// Splits on `/`, then decodes.
    private static func split(_ path: borrowing Span<UInt8>) -> PathSegments {
        var segments = PathSegments(reserving: path.count)
        var index = 1
        while index < path.count {
            if path[index] == slash {
                segments.endSegment()
                index += 1
            } else if path[index] == percent, let value = escape(path, at: index + 1) {
                segments.append(value)
                index += 3
            } else {
                segments.append(path[index])
                index += 1
            }
        }
        segments.endSegment()
        segments.dropEmptyLast()
        return segments
    }

    private static func resolved(_ bytes: [UInt8], cutting: Bool) -> PathSegments {
        var segments = PathSegments(reserving: bytes.count)
        var isCut = false
        for byte in bytes {
            if byte == slash || byte == backslash {
                segments.endResolvedSegment()
                isCut = false
            } else if cutting, byte == semicolon {
                isCut = true
            } else if !isCut {
                segments.append(byte)
            }
        }
        segments.endResolvedSegment()
        return segments
    }
}
