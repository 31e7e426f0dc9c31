public import GatehouseBase
import GatehouseHTTP

/// A response as a test's client got it.
public struct WireResponse: Sendable {
    public let status: Int
    /// Names as received, in order.
    public let fields: [(name: String, value: String)]
    public internal(set) var trailers: [(name: String, value: String)] = []
    public internal(set) var body: [UInt8] = []
    /// The 1xx that came before it.
    public let interim: [Int]
    /// False where the connection ended within the body.
    public internal(set) var isComplete = true

    init(_ head: ResponseHead, interim: [Int]) {
        status = head.status
        fields = WireResponse.pairs(head.fields)
        self.interim = interim
    }

    /// The body; what is no UTF-8 is replaced.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON.
    public var json: JSONValue? { try? JSONValue.parse(body, maximumSize: 1 << 20) }

    /// The first value of a field, whatever the case of its name.
    public subscript(name: String) -> String? { all(name).first }

    /// Every value of a field.
    public func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    static func pairs(_ fields: Fields) -> [(name: String, value: String)] {
        fields.indices.map {
            (fields.name(at: $0).repairedText, fields.value(at: $0).repairedText)
        }
    }
}
