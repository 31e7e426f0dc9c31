/// What came out of a configuration text.
public struct DecodedConfiguration: Sendable {
    /// Nil where there is an error.
    public let configuration: Configuration?
    /// All of them, in the order of the text.
    public let diagnostics: [Diagnostic]

    /// Keeps the configuration only where no diagnostic is an error.
    init(_ configuration: Configuration, _ diagnostics: [Diagnostic]) {
        let failed = diagnostics.contains { $0.severity == .error }
        self.configuration = failed ? nil : configuration
        self.diagnostics = Diagnostic.sorted(diagnostics)
    }
}
