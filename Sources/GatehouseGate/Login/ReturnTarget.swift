import GatehouseBase

/// Where a browser goes after a login: a path and query of the host that it is at.
///
/// It is written after the origin in `Location`, so that nothing in it can name another host. What
/// looks as if it wanted to is replaced all the same, and so is what would lead back here.
enum ReturnTarget {
    /// Bytes of a target; a longer one is replaced by its path, a longer path by `/`.
    static let maximum = 900
    /// Bytes of a `rd` parameter.
    static let maximumParameter = 2048

    /// The target of an `rd` parameter, else `/`.
    static func validated(_ text: String?) -> String {
        guard let text, text.utf8.count <= maximumParameter else { return "/" }
        return validated(Array(text.utf8))
    }

    /// The target of a request that was not let in, else `/`.
    static func validated(_ bytes: [UInt8]) -> String {
        let path = Array(bytes.prefix { $0 != UInt8(ascii: "?") })
        guard bytes.allSatisfy(ASCII.isTarget), isSafe(path) else { return "/" }
        return fitted(String(decoding: bytes, as: UTF8.self), to: maximum)
    }

    /// `target`, its path, or `/`, whichever is the first that has room; never a part of one.
    static func fitted(_ target: String, to maximum: Int) -> String {
        if target.utf8.count <= maximum { return target }
        let path = String(target.prefix { $0 != "?" })
        return path.utf8.count <= maximum ? path : "/"
    }

    private static func isSafe(_ path: [UInt8]) -> Bool {
        let reading = PathReading.check(path.span)
        guard reading != .invalid, !path.contains(UInt8(ascii: "\\")) else { return false }
        guard reading == .special else {
            return !AccessRules.isOurs(plain: path.span)
        }
        // No way of reading it may be empty at its start, ours, or hold a control character.
        for segments in PathReading.readings(of: path.span) {
            guard let first = segments.first, !first.isEmpty,
                !segments.has(Array(OwnPath.segment.utf8), at: 0)
            else { return false }
            for segment in segments {
                guard segment.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") })
                else { return false }
            }
            guard first.first != UInt8(ascii: "/") else { return false }
        }
        return !path.starts(with: Array("//".utf8))
    }
}
