import GatehouseBase

/// The cookies that are ours alone: set by us, never shown to an upstream, never taken from one.
///
/// The prefix `__Host-Http-` makes browsers refuse them from scripts, from other hosts and over
/// plain HTTP (RFC 6265bis §4.1.3).
public enum ReservedCookies {
    /// Session id and secret.
    public static let session: StaticString = "__Host-Http-gatehouse"
    /// A login in progress; its id follows.
    public static let transactionPrefix: StaticString = "__Host-Http-gatehouse-tx-"
    /// Counts the restarts of a login.
    public static let loop: StaticString = "__Host-Http-gatehouse-loop"

    /// Whether a backend could read `text`, which begins with a cookie's name, as one of ours.
    ///
    /// Browsers compare names byte by byte. Backends trim, unquote and fold in their own ways, so
    /// that here case counts as nothing and whatever is no token is passed over.
    public static func begin(_ text: borrowing Span<UInt8>) -> Bool {
        var start = 0
        while start < text.count, !ASCII.isToken(text[start]) { start += 1 }
        guard text.count - start >= folded.utf8CodeUnitCount, text[start] == 0x5F else {
            return false
        }
        return text.extracting(start..<start + folded.utf8CodeUnitCount)
            .equalsIgnoringCase(folded)
    }

    /// Whether a request brings one of ours, in any spelling.
    public static func areIn(_ fields: borrowing Fields) -> Bool {
        var line = fields.firstIndex(of: .cookie)
        while let index = line {
            let value = fields.value(at: index)
            var pairs = CookiePairs(value)
            while let pair = pairs.next() {
                if begin(value.extracting(pair.name.lowerBound..<pair.end)) { return true }
            }
            line = fields.firstIndex(of: .cookie, from: index + 1)
        }
        return false
    }

    private static let folded: StaticString = "__host-http-gatehouse"
}
