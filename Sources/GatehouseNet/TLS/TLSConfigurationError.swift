/// Why TLS cannot be set up as it was asked for: the file at fault, or the setting where it is
/// none, and what to do.
public struct TLSConfigurationError: Error, Sendable {
    public let file: String
    public let reason: String

    public init(file: String, reason: String) {
        self.file = file
        self.reason = reason
    }
}
