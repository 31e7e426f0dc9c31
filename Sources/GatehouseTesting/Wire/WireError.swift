/// Why a test's client did not get what it waited for.
public enum WireError: Error, Sendable, Equatable {
    /// The peer ended before that; what had come until then.
    case ended([UInt8])
    /// More came than anybody wants.
    case tooMuch
    /// The answer is no HTTP, or the URL is none.
    case malformed(String)
    /// A WebSocket was refused: the status.
    case refused(Int)
}
