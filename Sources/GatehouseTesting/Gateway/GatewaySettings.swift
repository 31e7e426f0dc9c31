/// What a test adds to the demonstration's configuration, each entry as it stands in the file.
public struct GatewaySettings: Sendable {
    /// Routes, such as `{path: /raw, upstream: "http://127.0.0.1:4000"}`.
    public var routes: [String]
    /// Rules that come before the others.
    public var access: [String]
    /// More keys of the top level, such as `limits: {session_exchanges: 3}`.
    public var more: [String]

    public init(routes: [String] = [], access: [String] = [], more: [String] = []) {
        self.routes = routes
        self.access = access
        self.more = more
    }

    /// The demonstration's text with these additions.
    func added(to text: String) -> String {
        text
            .replacing("\nroutes:\n", with: "\nroutes:\n" + GatewaySettings.list(routes))
            .replacing("\naccess:\n", with: "\naccess:\n" + GatewaySettings.list(access))
            + more.map { $0 + "\n" }.joined()
    }

    private static func list(_ entries: [String]) -> String {
        entries.map { "  - \($0)\n" }.joined()
    }
}
