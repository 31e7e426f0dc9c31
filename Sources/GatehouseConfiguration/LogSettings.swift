public import GatehouseBase

/// `log`: what is written and how.
public struct LogSettings: Sendable, Hashable {
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// For people.
        case text
        /// One JSON object a line.
        case json
        /// configurable-http-proxy's lines.
        case contract
    }

    public var format = Format.text
    /// Events below it are not written.
    public var level = Log.Level.notice
    /// One line for every exchange, without query string, cookie or token.
    public var access = true

    public init() {}
}
