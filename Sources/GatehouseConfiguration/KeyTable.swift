/// The keys that one mapping of the schema may have.
struct KeyTable: Sendable {
    /// Where the mapping stands: `[]` is any item of a list, `*` any name.
    let path: String
    /// What is read.
    let built: [String]
    /// What the schema has a place for, but nothing reads yet; refused, never ignored.
    let waiting: [String]

    init(_ path: String, _ built: [String], waiting: [String] = []) {
        self.path = path
        self.built = built
        self.waiting = waiting
    }
}
