import GatehouseBase

/// How the gate reaches the provider. Kit implements it over an upstream connection of its own.
public protocol BackChannel: Sendable {
    /// Sends one request and reads the whole answer, whatever its status. Redirects are never
    /// followed, and nothing is sent twice.
    func send(
        _ request: BackChannelRequest
    ) async throws(BackChannelError) -> BackChannelResponse
}
