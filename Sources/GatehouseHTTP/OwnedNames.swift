import GatehouseBase

/// Field names that only we may set, compared as a backend might fold them.
public struct OwnedNames: Sendable {
    private let names: [[UInt8]]
    private let lengths: UInt64

    public init(_ names: [String]) {
        self.names = names.map { $0.utf8.map(ASCII.foldedName) }
        lengths = self.names.reduce(0) { $0 | 1 << UInt64($1.count & 63) }
    }

    /// Whether `name` is one of ours; any of its spellings.
    public func contains(_ name: StaticString) -> Bool {
        lengths == 0 ? false : contains(name.description.utf8.span)
    }

    /// Whether `name` is one of ours in any spelling.
    public func contains(_ name: borrowing Span<UInt8>) -> Bool {
        guard lengths >> UInt64(name.count & 63) & 1 != 0 else { return false }
        for owned in names where owned.count == name.count {
            var equal = true
            for index in name.indices where ASCII.foldedName(name[index]) != owned[index] {
                equal = false
                break
            }
            if equal { return true }
        }
        return false
    }
}
