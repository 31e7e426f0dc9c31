/// Where a setting has its value from.
public enum SettingOrigin: Sendable, Hashable, CustomStringConvertible {
    /// Nobody wrote it.
    case builtIn
    /// It stands in the configuration text.
    case written(SourcePosition)
    /// The environment variable of this name.
    case environment(String)
    /// The flag of this name, with its dashes.
    case flag(String)

    /// `default`, `gatehouse.yaml:14`, `environment GATEHOUSE_LOOPS` or `flag --config`.
    public var description: String {
        switch self {
        case .builtIn: "default"
        case .written(let position): "\(position.file):\(position.line)"
        case .environment(let name): "environment \(name)"
        case .flag(let name): "flag \(name)"
        }
    }

    /// The place in the text, for a diagnostic that is found later.
    public var position: SourcePosition? {
        guard case .written(let position) = self else { return nil }
        return position
    }
}
