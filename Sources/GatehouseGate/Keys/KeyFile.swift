public import GatehouseBase

/// The text of `state_dir/keys`: one key a line, `name kid base64url`, later lines newer.
///
/// Lines that begin with `#` and empty ones are skipped. Names that we do not know are kept, so
/// that a newer version's file survives an older one.
public struct KeyFile: Sendable {
    /// The names that the gate uses.
    public enum Name {
        public static let index = "index"
        public static let transaction = "transaction"
        public static let forms = "forms"
        static let all = [index, transaction, forms]
    }

    /// One line.
    public struct Entry: Sendable {
        public let name: String
        public let keyID: String
        public let key: Secret
    }

    /// What is wrong with a text; never holds a part of a key.
    public enum ParseError: Error, Sendable, Equatable, CustomStringConvertible {
        /// Not three words with one blank between them.
        case malformed(line: Int)
        /// Not 32 bytes in base64url.
        case key(line: Int)
        /// The same name and id twice.
        case duplicate(line: Int)

        public var description: String {
            switch self {
            case .malformed(let line): "line \(line) is no key: it takes a name, an id and the key"
            case .key(let line): "the key in line \(line) is not 32 bytes in base64url"
            case .duplicate(let line): "line \(line) has the name and id of another one"
            }
        }
    }

    /// In the order of the file.
    public private(set) var entries: [Entry]

    /// Without keys.
    public init() { entries = [] }

    /// Reads a file's bytes.
    public init(parsing text: Secret) throws(ParseError) {
        var entries: [Entry] = []
        let lines = text.revealText().split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 3, !words[0].isEmpty, !words[1].isEmpty else {
                throw .malformed(line: index + 1)
            }
            guard let key = Base64URL.decode(String(words[2])), key.count == 32 else {
                throw .key(line: index + 1)
            }
            let entry = Entry(
                name: String(words[0]), keyID: String(words[1]), key: Secret(key))
            guard !entries.contains(where: { $0.name == entry.name && $0.keyID == entry.keyID })
            else { throw .duplicate(line: index + 1) }
            entries.append(entry)
        }
        self.entries = entries
    }

    /// The text; reads back as the same.
    public func serialized() -> Secret {
        let lines = entries.map { "\($0.name) \($0.keyID) \(Base64URL.encode($0.key.reveal()))\n" }
        return Secret(
            "# Keys of Gatehouse. Whoever reads them can sign in as anybody.\n" + lines.joined())
    }

    /// Adds a random key for each name that has none; true where the file must be written.
    public mutating func complete() -> Bool {
        var isChanged = false
        for name in Name.all where keys(named: name).isEmpty {
            let identifier = Base64URL.encode(Secret.random(count: 6).reveal())
            entries.append(Entry(name: name, keyID: identifier, key: .random(count: 32)))
            isChanged = true
        }
        return isChanged
    }

    /// The keys of that name, the newest last.
    public func keys(named name: String) -> [Secret] {
        entries.filter { $0.name == name }.map(\.key)
    }
}
