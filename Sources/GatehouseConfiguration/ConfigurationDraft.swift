/// What a configuration text says, before the rules that span settings are looked at.
struct ConfigurationDraft {
    var configuration: Configuration
    var diagnostics: [Diagnostic]
    /// Names of upstreams that routes use, also those routes that could not be read.
    var usedUpstreams: Set<String> = []
    /// Whether the text is a mapping, so that its settings can be judged together.
    var isReadable = false
    /// What the text is called.
    let name: String

    var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    /// The configuration with everything that is wrong.
    func validated() -> DecodedConfiguration {
        guard isReadable else { return DecodedConfiguration(configuration, diagnostics) }
        let found = Validation.check(configuration, usedUpstreams: usedUpstreams)
        // What is nowhere in the text is still about it.
        let placed = found.map { $0.position == nil ? $0.about(name) : $0 }
        return DecodedConfiguration(configuration, diagnostics + placed)
    }
}
