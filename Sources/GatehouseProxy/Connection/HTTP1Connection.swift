import GatehouseBase
public import GatehouseHTTP
public import GatehouseNet

/// An HTTP/1 connection from a client: reads heads, lets the responder answer, keeps alive.
///
/// It is its own exchange, one after the other, so that a request costs no object. While an
/// exchange waits it holds no buffer.
public final class HTTP1Connection: Exchange, SocketWatcher {
    enum Phase { case waiting, exchanging, tunneling, closed }

    public let peer: Address
    public internal(set) var isTLS: Bool
    public internal(set) var front = FrontWord.none
    /// Whether the peer is a front, whose word is taken.
    let isFronted: Bool
    public internal(set) var request = RequestHead()
    public internal(set) var framing = BodyFraming.none
    public var account = ExchangeAccount()
    public var memo: AnyObject?
    public var abandonment: Abandonment?

    let stream: ByteStream
    public let core: LoopCore
    let settings: ConnectionSettings
    var limits: Limits { settings.limits }
    /// What this connection adds about where its requests come from.
    var forwardedFields: ForwardedFields
    var inbound = ByteBuffer()
    var outbound = ByteBuffer()
    /// The request's body as it comes.
    var decoder: BodyDecoder
    var phase = Phase.waiting
    var mustClose = false
    /// Whether the head of the final answer has been written: after that there is no other.
    var headSent = false
    /// Whether an answer that was begun reached its end.
    var isComplete = false
    var isChunkedAnswer = false
    var upstream: UpstreamConnection?
    var tunnel: Tunnel?
    /// How long the body's bytes were waited for: time that a target takes is not the client's.
    var bodyWait = Duration.zero
    var uploadFailure: ExchangeFailure?
    var isUploadCancelled = false
    /// Whether the client has been told to go on with its body.
    var isInvited = false
    var invitation: LoopTimer?
    private var isDraining = false
    private var waitingSince = Instant.never
    private var isWaitingAgain = false
    private var idleTimer: LoopTimer?
    private var passBegan = Instant.never
    private var answeredInPass = 0
    /// Exchanges of one connection in one pass of the loop.
    private static let exchangesInPass = 32

    public init(
        _ stream: ByteStream, peer: Address, _ settings: ConnectionSettings
    ) {
        self.stream = stream
        self.peer = peer
        self.settings = settings
        core = stream.socket.core
        isTLS = stream.isTLS
        decoder = BodyDecoder(.none, settings.limits)
        isFronted = settings.front?.trusts(peer.ip.flatMap(IPAddress.init(parsing:))) ?? false
        forwardedFields = ForwardedFields(
            settings.forwarding.forwardedFields, peer: peer.ip ?? "", isTLS: stream.isTLS,
            port: settings.publicPort)
        stream.socket.watcher = self
    }

    /// Answers exchanges until the connection ends, then closes it; or until one has opened a
    /// tunnel, and then ``runTunnel(_:)`` follows.
    public func serve(_ responder: any Responder) async {
        var isFirst = true
        while true {
            do throws(ExchangeFailure) {
                guard try await readHead(isFirst: isFirst) else { break }
                isFirst = false
                beginExchange()
                try readFraming()
                try readOrigin()
            } catch {
                beginExchange()
                mustClose = true
                if error.reason != .clientGone { await responder.refuse(self, error) }
                await linger()
                break
            }
            armIdleTimer()
            await responder.respond(to: self)
            disarmIdleTimer()
            if hasTunnel { return }
            guard isKept else {
                await endLast()
                break
            }
            if hasHadItsTurn() { await core.nextPass() }
        }
        close()
    }

    /// Whether others shall have their turn: a client whose next request is always there already
    /// would keep the loop for itself.
    private func hasHadItsTurn() -> Bool {
        if passBegan != core.now {
            passBegan = core.now
            answeredInPass = 0
        }
        answeredInPass += 1
        return answeredInPass >= HTTP1Connection.exchangesInPass
    }

    /// Lets the connection end after the exchange that it is in, if any.
    public func drain() {
        isDraining = true
        if phase == .waiting, inbound.isEmpty { stream.abort() }
    }

    /// Ends it after its exchange, or its first one; at once where it waits for another.
    func endAfterExchange() {
        isDraining = true
        giveUp()
    }

    /// Since when it has waited for another request of its client; nil where it does not.
    var idleSince: Instant? {
        phase == .waiting && inbound.isEmpty && isWaitingAgain ? waitingSince : nil
    }

    /// Ends it while it is idle.
    func giveUp() {
        if idleSince != nil { stream.abort() }
    }

    /// Whether it has become a tunnel.
    public var isTunnel: Bool { phase == .tunneling }

    public var hasTunnel: Bool { tunnel != nil }

    /// Whether an exchange is under way.
    public var isBusy: Bool { phase == .exchanging || phase == .tunneling }

    public var isWaitingForBody: Bool { phase == .exchanging && !decoder.isEnded && !headSent }

    public func end(_ cause: EndCause) {
        guard account.endCause == nil, phase != .closed else { return }
        account.endCause = cause
        if let tunnel { return tunnel.end(cause) }
        stream.resetNow()
        abandonment?.abandon()
        upstream?.stream.resetNow()
    }

    /// The client went away: what it asked for is given up.
    public func socketIsReady(hungUp: Bool) {
        if hungUp { tunnel?.clientHasHungUp() }
        guard hungUp, phase == .exchanging else { return }
        abandonment?.abandon()
        guard let upstream else { return }
        upstream.stream.abort()
        // Also where the exchange waits for room that a client who is gone will not make.
        stream.abort()
    }

    // MARK: Silence

    /// Ends an exchange in which no byte of the client's connection moves, where the settings say
    /// so: without an answer, as configurable-http-proxy does with `--timeout`.
    private func armIdleTimer() {
        guard let limit = settings.exchangeIdle else { return }
        let timer = LoopTimer()
        var moved = -1
        timer.onExpiry = { [weak self, unowned timer] in
            guard let self, self.phase == .exchanging else { return }
            let now = self.account.sent + self.account.received
            if moved == now {
                self.abandonment?.abandon()
                self.upstream?.stream.abort()
                return self.stream.abort()
            }
            moved = now
            self.core.set(timer, to: .now() + limit)
        }
        moved = account.sent + account.received
        idleTimer = timer
        core.set(timer, to: core.now + limit)
    }

    private func disarmIdleTimer() {
        guard let timer = idleTimer else { return }
        core.cancel(timer)
        idleTimer = nil
    }

    // MARK: Requests

    /// Waits for a request head and parses it.
    /// - Returns: false when the client is done.
    private func readHead(isFirst: Bool) async throws(ExchangeFailure) -> Bool {
        phase = .waiting
        waitingSince = core.now
        isWaitingAgain = !isFirst
        let socket = stream.socket
        // What has begun behind the last request is no idle connection.
        let isIdle = !isFirst && inbound.isEmpty
        socket.readDeadline = core.now + (isIdle ? settings.keepAliveIdle : limits.headTime)
        var isWorthParsing = !inbound.isEmpty
        while true {
            if isWorthParsing, let length = try parseHead() {
                inbound.consume(length)
                return true
            }
            guard !isDraining || !inbound.isEmpty else { return false }
            let before = inbound.count
            do throws(StreamError) {
                guard try await fill() else {
                    guard before > 0 else { return false }
                    throw StreamError.closed
                }
            } catch {
                guard before > 0, error == .timedOut else {
                    return try endOfHeads(hasBegun: before > 0)
                }
                socket.forgiveTimeout()
                throw ExchangeFailure(.clientTimeout)
            }
            if before == 0 { socket.readDeadline = core.now + limits.headTime }
            // A head that was incomplete is parsed again only when another line has ended.
            isWorthParsing =
                before == 0
                || inbound.withReadable { bytes in
                    for index in before..<bytes.count where bytes[index] == 0x0A { return true }
                    return bytes.count > limits.requestLine
                }
        }
    }

    /// No further request comes: false, or an error where one had begun.
    private func endOfHeads(hasBegun: Bool) throws(ExchangeFailure) -> Bool {
        if hasBegun { throw ExchangeFailure(.clientGone) }
        return false
    }

    private func parseHead() throws(ExchangeFailure) -> Int? {
        do throws(MessageError) {
            return try inbound.withReadable { (bytes) throws(MessageError) in
                try settings.parser.parse(bytes, into: &request)
            }
        } catch {
            throw ExchangeFailure(.malformed(error))
        }
    }

    private func beginExchange() {
        account = ExchangeAccount()
        account.began = core.now
        phase = .exchanging
        framing = .none
        headSent = false
        isComplete = false
        isChunkedAnswer = false
        isUploadCancelled = false
        isInvited = false
        bodyWait = .zero
        uploadFailure = nil
        if isFronted { forgetOrigin() }
        stream.socket.readDeadline = .never
    }

    private func readFraming() throws(ExchangeFailure) {
        do throws(MessageError) {
            framing = try BodyFraming.of(request)
        } catch {
            throw ExchangeFailure(.malformed(error))
        }
        decoder = BodyDecoder(framing, limits)
    }

    /// Reads more into `inbound`, waiting until there is something.
    /// - Returns: false at the end of the stream.
    /// - Throws: `aborted` too, where nobody wants the body any more.
    func fill() async throws(StreamError) -> Bool {
        while true {
            if inbound.capacity == 0 {
                // An async function costs its caller a look at the executor when it returns: what
                // need not wait is not called, here and in ``tryFlush()``.
                if !stream.hasPendingInput { try await stream.socket.waitReadable() }
                inbound = ByteBuffer(adopting: core.takeBuffer())
            }
            inbound.reserve(2048)
            switch try stream.tryRead(&inbound) {
            case .bytes: return true
            case .end: return false
            case .wouldBlock:
                if inbound.isEmpty { core.giveBack(inbound.takeStorage()) }
                if isUploadCancelled { throw .aborted }
                try await stream.waitReadable()
            }
        }
    }

    // MARK: Ends

    /// Whether another exchange may follow the one that has been answered.
    private var isKept: Bool {
        isComplete && account.endCause == nil && decoder.isEnded && !mustClose
            && stream.socket.isOpen
    }

    /// Leaves the last answer to the client.
    private func endLast() async {
        guard isComplete, account.endCause == nil else {
            // Cut, never shown as whole: without a length only a reset says so.
            if headSent, !isComplete { stream.socket.resetOnClose() }
            return
        }
        if stream.socket.isOpen { await linger() }
    }

    /// Reads on for a while after an early answer, or closing would make a reset of it, which eats
    /// the answer that is still on its way.
    func linger() async {
        guard !stream.socket.isHungUp else { return }
        stream.shutdownWrite()
        stream.socket.readDeadline = .now() + limits.lingerTime
        var count = 0
        while count < limits.lingerBytes, Instant.now() < stream.socket.readDeadline {
            inbound.removeAll()
            guard let more = try? await fill(), more else { return }
            count += inbound.count
        }
    }

    func close() {
        phase = .closed
        memo = nil
        inbound.removeAll()
        if inbound.capacity > 0 { core.giveBack(inbound.takeStorage()) }
        if outbound.capacity > 0 { core.giveBack(outbound.takeStorage()) }
        stream.close(cleanly: isComplete || !headSent)
    }

    /// Whether the answer's head promises another exchange.
    var keepAlive: KeepAlive {
        if mustClose || isDraining || !request.wantsKeepAlive {
            mustClose = true
            return .close
        }
        return request.version == .http10 ? .said : .implied
    }

    // MARK: Writing

    func prepareOutbound() {
        if outbound.capacity == 0 { outbound = ByteBuffer(adopting: core.takeBuffer()) }
    }

    /// Writes `outbound` as far as the kernel takes it now.
    /// - Returns: whether that was all of it.
    func tryFlush() throws(ExchangeFailure) -> Bool {
        do throws(StreamError) {
            guard try stream.tryWrite(&outbound) else { return false }
        } catch {
            throw .downstream(error)
        }
        if outbound.capacity > 0 { core.giveBack(outbound.takeStorage()) }
        return true
    }

    /// Writes all of `outbound`.
    func flush() async throws(ExchangeFailure) {
        while try !tryFlush() {
            stream.socket.writeDeadline = limits.writeStall.map { core.now + $0 } ?? .never
            do throws(StreamError) { try await stream.waitWritable() } catch {
                throw .downstream(error)
            }
        }
    }
}
