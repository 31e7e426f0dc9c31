/// A place in a configuration text, with the line it stands in for showing.
public struct SourcePosition: Sendable, Hashable {
    /// The name of the file as it was given, or of the environment variable that held the text.
    public let file: String
    /// Counted from 1.
    public let line: Int
    /// Counted from 1, in characters.
    public let column: Int
    /// The line itself; nil where it must not be shown, because it may hold a secret.
    public let text: String?

    public init(file: String, line: Int, column: Int, text: String?) {
        self.file = file
        self.line = line
        self.column = column
        self.text = text
    }

    /// The same place, whose line is not shown.
    var withoutText: SourcePosition {
        SourcePosition(file: file, line: line, column: column, text: nil)
    }
}
