public import GatehouseBase

/// Walks the elements of a comma-separated list (RFC 9110 §5.6.1), empty ones left out.
public struct CommaSeparated: ~Escapable {
    @usableFromInline var rest: Span<UInt8>
    @usableFromInline let quotes: Bool
    /// Whether the list has ended within a quoted string.
    public private(set) var isCutOff = false

    /// - Parameter quotes: whether a comma in a quoted string (RFC 9110 §5.6.4) is no end of an
    ///   element. Lists of tokens have none, and what looks like one is no token.
    @inlinable
    @_lifetime(copy list)
    public init(_ list: Span<UInt8>, quotes: Bool = false) {
        rest = list
        self.quotes = quotes
    }

    /// The next element, trimmed.
    @inlinable
    @_lifetime(copy self)
    public mutating func next() -> Span<UInt8>? {
        while !rest.isEmpty {
            var end = 0
            if quotes {
                end = endOfQuoting()
            } else {
                while end < rest.count, rest[end] != 0x2C { end += 1 }
            }
            let element = rest.extracting(0..<end).trimmed
            rest = rest.extracting(min(end + 1, rest.count)..<rest.count)
            if !element.isEmpty { return element }
        }
        return nil
    }

    /// Where the first element ends.
    @usableFromInline
    mutating func endOfQuoting() -> Int {
        var isQuoted = false
        var end = 0
        while end < rest.count, isQuoted || rest[end] != 0x2C {
            if rest[end] == UInt8(ascii: "\"") { isQuoted.toggle() }
            // A quoted pair: what follows the backslash stands for itself.
            if isQuoted, rest[end] == UInt8(ascii: "\\") { end += 1 }
            end += 1
        }
        if isQuoted { isCutOff = true }
        return min(end, rest.count)
    }
}
