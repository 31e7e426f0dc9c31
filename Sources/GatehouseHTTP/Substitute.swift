/// The answer that a browser gets in place of the upstream's, whatever that is: the upstream is
/// asked all the same, so that it does what it was asked for.
public struct Substitute: Sendable {
    public var response: Response
    /// How long the upstream is waited for.
    public var patience: Duration

    public init(_ response: Response, after patience: Duration) {
        self.response = response
        self.patience = patience
    }
}
