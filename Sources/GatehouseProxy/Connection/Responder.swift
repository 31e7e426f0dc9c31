public import GatehouseNet

/// Answers exchanges: the pipeline, the demonstration application, the development provider.
public protocol Responder: AnyObject {
    /// Answers one exchange, or leaves it unanswered and thereby ends its connection.
    func respond(to exchange: any Exchange) async
    /// Answers what was no request; the connection ends after it.
    func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async
    /// The tunnel that an exchange has become is over.
    func tunnelHasEnded(_ exchange: any Exchange)
    /// A connection has ended before its TLS handshake was done.
    func handshakeHasFailed(_ peer: Address, _ error: StreamError)
}

extension Responder {
    public func tunnelHasEnded(_ exchange: any Exchange) {}
    public func handshakeHasFailed(_ peer: Address, _ error: StreamError) {}
}
