/// A metric: what it is called, what it says and which labels it has.
struct Instrument: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram, summary
    }

    let name: String
    let kind: Kind
    let help: String
    /// Names of its labels; the values of each are few and never a client's choice.
    let labels: [String]

    init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = []) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
    }
}
