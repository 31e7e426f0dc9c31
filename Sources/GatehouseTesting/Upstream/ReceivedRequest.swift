import GatehouseBase
public import GatehouseHTTP

/// A request as a fake upstream got it.
public struct ReceivedRequest: Sendable {
    public let method: String
    /// Path and query, as received.
    public let target: String
    public let version: Version
    /// Names as received, in order.
    public let fields: [(name: String, value: String)]
    /// Filled in when the body has been read.
    public internal(set) var body: [UInt8] = []

    /// Takes note of a head.
    public init(_ head: RequestHead) {
        method = head.methodName().repairedText
        target = head.target().repairedText
        version = head.version
        fields = WireResponse.pairs(head.fields)
    }

    /// Without the query.
    public var path: String { String(target.prefix { $0 != "?" }) }

    /// The query without its question mark.
    public var query: String { String(target.drop { $0 != "?" }.dropFirst()) }

    /// The first value of a field, whatever the case of its name.
    public subscript(name: String) -> String? { all(name).first }

    /// Every value of a field.
    public func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}
