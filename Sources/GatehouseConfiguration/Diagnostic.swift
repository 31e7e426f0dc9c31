import GatehouseBase

/// One thing that is wrong, or looks wrong, with a configuration: where, what, and the remedy.
///
///     config/gatehouse.yaml:14:22: error: 'upstreams.hub.connect_timeout' is '5': a duration needs a unit
///        14 |     connect_timeout: 5
///           |                      ^ write '5s'
public struct Diagnostic: Sendable, Hashable {
    /// An error keeps a configuration from being used, a warning does not; a notice is about nothing
    /// that looks wrong.
    public enum Severity: String, Sendable, Hashable, CaseIterable {
        case error, warning, notice
    }

    public let severity: Severity
    /// Nil where nothing that was written is at fault, but that something was not.
    public let position: SourcePosition?
    /// The source for what has no position, such as `environment GATEHOUSE_LOOPS` or a file's name.
    public let source: String?
    /// No URL in it, nor in the hint, has a user name or a password.
    public let message: String
    /// What to do about it; a few words that stand after the caret.
    public let hint: String?

    public init(
        _ severity: Severity, at position: SourcePosition? = nil, source: String? = nil,
        _ message: String, hint: String? = nil
    ) {
        self.severity = severity
        self.position = position
        self.source = source
        self.message = URLText.withoutUserInformation(message)
        self.hint = hint.map(URLText.withoutUserInformation)
    }

    /// The same with another ``source``.
    func about(_ source: String) -> Diagnostic {
        Diagnostic(severity, at: position, source: source, message, hint: hint)
    }

    /// The lines of this diagnostic, without a line feed at the end.
    public var rendered: String {
        guard let position else {
            let place = source.map { "\($0): " } ?? ""
            let first = "\(place)\(severity.rawValue): \(message)"
            return hint.map { "\(first)\n      | \($0)" } ?? first
        }
        let first =
            "\(position.file):\(position.line):\(position.column): \(severity.rawValue): \(message)"
        guard let text = position.text else {
            // The line may hold a secret and is not shown.
            return hint.map { "\(first)\n      | \($0)" } ?? first
        }
        let number = String(position.line)
        let margin = String(repeating: " ", count: max(0, 5 - number.count)) + number
        let blank = String(repeating: " ", count: margin.count)
        // A tab counts as one character in the column, so it is shown as one.
        let shown = String(text.map { $0.isASCII && $0 < " " ? " " : $0 })
        let caret = String(repeating: " ", count: position.column - 1) + "^"
        return "\(first)\n\(margin) | \(shown)\n\(blank) | \(caret)\(hint.map { " " + $0 } ?? "")"
    }

    /// Place, word and remedy in one line, without the text of the source: for a log.
    public var line: String {
        let first = rendered.prefix { $0 != "\n" }
        return hint.map { "\(first) (\($0))" } ?? String(first)
    }

    /// All diagnostics in the order of the text and, where there are any, the line that counts
    /// them; ends with a line feed unless it is empty.
    public static func report(_ diagnostics: [Diagnostic]) -> String {
        let diagnostics = sorted(diagnostics)
        guard !diagnostics.isEmpty else { return "" }
        let counts = Severity.allCases.compactMap { severity -> String? in
            switch diagnostics.count(where: { $0.severity == severity }) {
            case 0: nil
            case 1: "1 \(severity.rawValue)"
            case let count: "\(count) \(severity.rawValue)s"
            }
        }
        let lines = diagnostics.map(\.rendered) + [counts.joined(separator: ", ")]
        return lines.joined(separator: "\n") + "\n"
    }

    /// In the order of the text; what has no position comes last. The same thing said twice about
    /// the same place is said once.
    public static func sorted(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        var seen: Set<Diagnostic> = []
        let unique = diagnostics.filter { seen.insert($0).inserted }
        return unique.enumerated().sorted { left, right in
            let leftKey = left.element.orderKey
            let rightKey = right.element.orderKey
            return leftKey == rightKey ? left.offset < right.offset : leftKey < rightKey
        }.map(\.element)
    }

    private var orderKey: (Int, Int) {
        position.map { ($0.line, $0.column) } ?? (.max, .max)
    }
}
