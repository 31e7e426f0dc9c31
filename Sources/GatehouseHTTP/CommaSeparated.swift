public import GatehouseBase

/// Walks the elements of a comma-separated list (RFC 9110 §5.6.1), empty ones left out.
public struct CommaSeparated: ~Escapable {
    @usableFromInline var rest: Span<UInt8>

    @inlinable
    @_lifetime(copy list)
    public init(_ list: Span<UInt8>) { rest = list }

    /// The next element, trimmed.
    @inlinable
    @_lifetime(copy self)
    public mutating func next() -> Span<UInt8>? {
        while !rest.isEmpty {
            var end = 0
            while end < rest.count, rest[end] != 0x2C { end += 1 }
            let element = rest.extracting(0..<end).trimmed
            rest = rest.extracting(min(end + 1, rest.count)..<rest.count)
            if !element.isEmpty { return element }
        }
        return nil
    }
}
