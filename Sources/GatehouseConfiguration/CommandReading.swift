/// What came out of the words of a command line.
public enum CommandReading: Sendable, Hashable {
    /// Do this.
    case run(Command)
    /// Print this on standard output and exit 0.
    case print(String)
    /// Print this on standard error and exit with ``CommandTable/usageExit``.
    case usage(String)
}
