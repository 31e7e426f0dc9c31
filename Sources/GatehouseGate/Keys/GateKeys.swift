public import GatehouseBase

/// The secret keys of the gate; each is good for one thing.
public struct GateKeys: Sendable {
    /// Session ids are kept under an HMAC with it.
    public let index: Secret
    /// Seal logins in progress; the first seals, all open.
    public let transaction: [Secret]
    /// Tokens of our own forms.
    public let forms: Secret

    /// Each key has 32 bytes, and there is at least one for ``transaction``.
    public init(index: Secret, transaction: [Secret], forms: Secret) {
        precondition(!transaction.isEmpty, "something must seal")
        self.index = index
        self.transaction = transaction
        self.forms = forms
    }

    /// New random ones, good for as long as the process runs.
    public static func random() -> GateKeys {
        GateKeys(
            index: .random(count: 32), transaction: [.random(count: 32)],
            forms: .random(count: 32))
    }

    /// Those of a key file; nil where one is missing.
    public init?(_ file: KeyFile) {
        guard let index = file.keys(named: KeyFile.Name.index).last,
            let forms = file.keys(named: KeyFile.Name.forms).last
        else { return nil }
        let transaction = file.keys(named: KeyFile.Name.transaction)
        guard !transaction.isEmpty else { return nil }
        self.init(index: index, transaction: transaction.reversed(), forms: forms)
    }
}
