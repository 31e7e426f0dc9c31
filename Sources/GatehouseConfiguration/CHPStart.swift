public import GatehouseBase

/// How to start in the place of configurable-http-proxy.
public struct CHPStart: Sendable {
    /// Something to say in the log before anything is served.
    public struct Line: Sendable, Hashable {
        public let level: Log.Level
        public let text: String
    }

    public let configuration: Configuration
    /// In this order.
    public let lines: [Line]
    /// The configuration file that was read; nil where there is none.
    public let file: String?
}
