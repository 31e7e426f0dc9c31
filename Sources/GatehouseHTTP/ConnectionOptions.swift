import GatehouseBase

/// The field names that Connection nominates to end at this hop (RFC 9110 §7.6.1).
///
/// Costs nothing without Connection, and next to nothing with the usual `keep-alive`, `close` or
/// `upgrade`: those and all names that end here anyway are not remembered.
public struct ConnectionOptions: Sendable {
    /// More than anybody needs; bounds the comparisons per field.
    private static let maximumNames = 32

    @usableFromInline var names: [[UInt8]] = []

    /// Reads a request's Connection.
    ///
    /// Refuses a nomination whose removal would decide something: framing, credentials, what the
    /// gate judges by, and everything that only we may set, in whatever spelling.
    public init(
        ofRequest fields: borrowing Fields, identityNames: OwnedNames
    ) throws(MessageError) {
        guard let first = fields.firstIndex(of: .connection) else { return }
        try gather(fields, from: first) { name throws(MessageError) in
            let isProtected =
                FieldName.classify(name).resembles.isProtectedFromNomination
                || name.startsLike("sec-websocket") || identityNames.contains(name)
            if isProtected { throw MessageError(.nominated) }
        }
    }

    /// Reads a response's Connection. What frames the body is written anew in any case.
    public init(ofResponse fields: borrowing Fields) throws(MessageError) {
        guard let first = fields.firstIndex(of: .connection) else { return }
        try gather(fields, from: first) { _ throws(MessageError) in }
    }

    /// Whether `name` is nominated.
    @inlinable
    public func contains(_ name: borrowing Span<UInt8>) -> Bool {
        names.isEmpty ? false : isNominated(name)
    }

    @usableFromInline
    func isNominated(_ name: borrowing Span<UInt8>) -> Bool {
        for nominated in names where nominated.count == name.count {
            var isEqual = true
            for index in name.indices
            where ASCII.lowercased(name[index]) != nominated[index] {
                isEqual = false
                break
            }
            if isEqual { return true }
        }
        return false
    }

    private mutating func gather(
        _ fields: borrowing Fields, from first: Int,
        _ check: (borrowing Span<UInt8>) throws(MessageError) -> Void
    ) throws(MessageError) {
        var line: Int? = first
        while let index = line {
            var rest = CommaSeparated(fields.value(at: index))
            while let name = rest.next() {
                if ConnectionOptions.isUsual(name) { continue }
                try check(name)
                guard names.count < ConnectionOptions.maximumNames else {
                    throw MessageError(.tooManyFields)
                }
                var copy = name.array
                for index in copy.indices { copy[index] = ASCII.lowercased(copy[index]) }
                names.append(copy)
            }
            line = fields.firstIndex(of: .connection, from: index + 1)
        }
    }

    private static func isUsual(_ name: borrowing Span<UInt8>) -> Bool {
        switch name.count {
        case 2: name.equalsIgnoringCase("te")
        case 5: name.equalsIgnoringCase("close")
        case 7: name.equalsIgnoringCase("upgrade")
        case 10: name.equalsIgnoringCase("keep-alive")
        case 14: name.equalsIgnoringCase("http2-settings")
        default: false
        }
    }
}
