import GatehouseBase
public import GatehouseHTTP
public import GatehouseNet

/// One request with its response, whatever carried it.
public protocol Exchange: LiveExchange {
    /// The loop that its connection belongs to.
    var core: LoopCore { get }
    var request: RequestHead { get }
    var framing: BodyFraming { get }
    var peer: Address { get }
    /// The client's address as a trusted front tells it; nil: the peer is the client.
    var client: String? { get }
    /// Whether a trusted front has handed the request over.
    var front: FrontWord { get }
    /// Whether the client came by TLS: to us, or to a trusted front that says so.
    var isTLS: Bool { get }
    /// Whether the request's body is still on its way and no answer has begun.
    var isWaitingForBody: Bool { get }
    /// Counts and marks for the access log.
    var account: ExchangeAccount { get set }
    /// A place that belongs to whoever answers, for as long as the connection lives: the gate
    /// keeps the cookie there that it verified last.
    var memo: AnyObject? { get set }
    /// Of what is waited for on the client's behalf now: given up when the client goes.
    var abandonment: Abandonment? { get set }

    /// Reads the request's body whole.
    func body(atMost limit: Int) async throws(ExchangeFailure) -> [UInt8]
    /// The next piece of the request's body as it comes; nil at its end.
    func readBody() async throws(ExchangeFailure) -> [UInt8]?
    /// Ends the connection after the answer that is to come.
    func endsAfterAnswer()
    /// Sends an answer of our own.
    func send(_ response: Response) async
    /// Whether it goes on as a tunnel when the responder has returned.
    var hasTunnel: Bool { get }
    /// Forwards to an upstream and relays its answer.
    func forward(_ forwarding: Forwarding) async throws(ExchangeFailure)
    /// Starts an answer whose length is not known; ``write(_:)`` and ``finish()`` follow.
    func begin(_ head: ResponseHead) async throws(ExchangeFailure)
    /// A piece of the body, sent at once.
    func write(_ bytes: [UInt8]) async throws(ExchangeFailure)
    /// The end of the body.
    func finish() async throws(ExchangeFailure)
    /// Answers 101 with `head` and hands the connection over; it ends after this exchange.
    func upgrade(_ head: ResponseHead) async throws(ExchangeFailure) -> UpgradedStream
}
