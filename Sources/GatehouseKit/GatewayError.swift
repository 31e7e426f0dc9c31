public import GatehouseConfiguration

/// Why the gateway cannot start or take up a configuration: what, where, and what to do.
public struct GatewayError: Error, Sendable, CustomStringConvertible {
    public let message: String
    public let hint: String?
    /// The same with its place, where a setting is at fault.
    public let diagnostic: Diagnostic?

    public init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
        diagnostic = nil
    }

    init(_ diagnostic: Diagnostic) {
        message = diagnostic.line
        hint = nil
        self.diagnostic = diagnostic
    }

    public var description: String { hint.map { "\(message) (\($0))" } ?? message }
}
