/// A mapping whose keys have been checked, while it is read.
struct MappingReader {
    /// Where it stands, for messages and origins: `listeners[0].tls`.
    let path: String
    let position: SourcePosition
    private let values: [String: YAMLNode]

    init(path: String, position: SourcePosition, entries: [YAMLNode.Entry]) {
        self.path = path
        self.position = position
        values = Dictionary(entries.map { ($0.key, $0.value) }) { first, _ in first }
    }

    /// The value of `key`; nil where it is not written or null, which are the same.
    subscript(_ key: String) -> YAMLNode? {
        guard let value = values[key], !value.isNull else { return nil }
        return value
    }

    /// The path of `key`.
    func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
