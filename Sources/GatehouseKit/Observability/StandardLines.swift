import GatehouseBase
import GatehouseNet
import Glibc

/// Standard output and standard error for what the service says while it runs.
public enum StandardLines {
    static let output = LineQueue(STDOUT_FILENO)
    /// The same queue where both are the same pipe, so that lines keep their order.
    static let errors =
        LineQueue.areSame(STDOUT_FILENO, STDERR_FILENO) ? output : LineQueue(STDERR_FILENO)

    /// How long an end of the process waits for a reader.
    private static let patience = Duration.milliseconds(200)

    /// Lines that nobody read in time, of both.
    static var lostCount: Int { output.lostCount + (errors === output ? 0 : errors.lostCount) }

    /// Writes whole lines to standard output.
    public static func say(_ text: String) { output.write(Array(text.utf8)) }

    /// Waits a little until what was said has come out: before an exit.
    public static func finish() {
        let deadline = Instant.now() + patience
        output.finish(by: deadline)
        errors.finish(by: deadline)
    }
}
