/// What the command line asks for.
public enum Command: Sendable, Hashable {
    /// Run, with this file; nil for the text in `GATEHOUSE_CONFIG_YAML`.
    case serve(config: String?)
    /// Check this file and print the settings in force.
    case check(file: String)
}
