/// What the command line asks for.
public enum Command: Sendable, Hashable {
    /// Run, with this file; nil for the text in `GATEHOUSE_CONFIG_YAML`.
    case serve(config: String?)
    /// Check this file and print the settings in force; `-` for standard input, nil for the text in
    /// `GATEHOUSE_CONFIG_YAML`.
    case check(file: String?)
    /// Stand in for configurable-http-proxy; the words are its own and are read by
    /// ``CHPCommandLine``.
    case proxy([String])
}
