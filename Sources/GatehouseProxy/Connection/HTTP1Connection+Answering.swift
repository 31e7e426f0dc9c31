import GatehouseBase
public import GatehouseHTTP
import GatehouseNet

/// Answers of our own, and request bodies that we read ourselves.
extension HTTP1Connection {
    public func body(atMost limit: Int) async throws(ExchangeFailure) -> [UInt8] {
        if case .length(let count) = framing, count > limit { throw ExchangeFailure(.bodyTooLarge) }
        try await inviteBody()
        var body: [UInt8] = []
        while !decoder.isEnded {
            if inbound.isEmpty { try await fillBody() }
            try takeBody { body.append(copying: $0) }
            guard body.count <= limit else { throw ExchangeFailure(.bodyTooLarge) }
        }
        return body
    }

    public func readBody() async throws(ExchangeFailure) -> [UInt8]? {
        if account.received == 0 { try await inviteBody() }
        while !decoder.isEnded {
            if inbound.isEmpty { try await fillBody() }
            var piece: [UInt8] = []
            try takeBody { piece.append(copying: $0) }
            if !piece.isEmpty { return piece }
        }
        return nil
    }

    /// Answers `Expect: 100-continue` where the body has not begun (RFC 9110 §10.1.1).
    private func inviteBody() async throws(ExchangeFailure) {
        guard framing != .none, request.fields.lists(.expect, "100-continue"), inbound.isEmpty
        else { return }
        prepareOutbound()
        outbound.append("HTTP/1.1 100 Continue\r\n\r\n")
        try await flush()
    }

    /// Waits for more of the request's body, within its deadlines.
    func fillBody() async throws(ExchangeFailure) {
        let isSlow =
            bodyWait > limits.bodyRateGrace
            && account.received < limits.bodyRate * Int(bodyWait.wholeSeconds)
        guard !isSlow else { throw ExchangeFailure(.clientTimeout) }
        let began = core.now
        stream.socket.readDeadline = began + limits.bodyIdle
        do throws(StreamError) {
            guard try await fill() else { throw StreamError.closed }
        } catch {
            if error == .timedOut { stream.socket.forgiveTimeout() }
            throw .downstream(error)
        }
        stream.socket.readDeadline = .never
        bodyWait += core.now.since(began)
    }

    /// Takes what `inbound` holds of the body, and counts it: the client's rate is judged by that.
    func takeBody(
        _ take: (borrowing Span<UInt8>) -> Void
    ) throws(ExchangeFailure) {
        do throws(MessageError) {
            while !inbound.isEmpty, !decoder.isEnded {
                let step = try inbound.withReadable { (bytes) throws(MessageError) in
                    let step = try decoder.decode(bytes)
                    if step.payload > 0 {
                        take(bytes.extracting(step.skipped..<step.skipped + step.payload))
                    }
                    return step
                }
                inbound.consume(step.skipped + step.payload)
                account.received += step.payload
                if step.skipped + step.payload == 0 { break }
            }
        } catch {
            throw ExchangeFailure(.malformed(error))
        }
    }

    public func endsAfterAnswer() { mustClose = true }

    public func send(_ response: Response) async {
        guard !headSent else { return }
        // What is left of a small body is at hand; a longer one ends the connection.
        try? takeBody { _ in }
        if !decoder.isEnded { mustClose = true }
        prepareOutbound()
        let status = response.head.status
        outbound.appendStatusLine(status, reason: response.head.reason())
        appendOwn(response.head.fields)
        if status >= 200, status != 204, status != 304 {
            outbound.append("Content-Length: ")
            outbound.append(decimal: response.body.count)
            outbound.append("\r\n")
        }
        keepAlive.append(to: &outbound)
        outbound.appendHeadEnd()
        headSent = true
        account.status = status
        if request.method != .head, status != 204, status != 304 {
            outbound.append(response.body)
            account.sent = response.body.count
        }
        do throws(ExchangeFailure) {
            if try !tryFlush() { try await flush() }
            isComplete = true
        } catch {
            account.failure = account.failure ?? error
        }
    }

    /// Fields of an answer of our own, with the time of its making (RFC 9110 §6.6.1).
    private func appendOwn(_ fields: borrowing Fields) {
        outbound.append(fields)
        guard fields.firstIndex(of: .date) == nil else { return }
        outbound.appendField(.date, CalendarTime(.now()).httpDate.utf8.span)
    }

    public func begin(_ head: ResponseHead) async throws(ExchangeFailure) {
        prepareOutbound()
        isChunkedAnswer = request.version == .http11
        if !isChunkedAnswer { mustClose = true }
        if !decoder.isEnded { mustClose = true }
        outbound.appendStatusLine(head.status, reason: head.reason())
        appendOwn(head.fields)
        if isChunkedAnswer { outbound.append("Transfer-Encoding: chunked\r\n") }
        keepAlive.append(to: &outbound)
        outbound.appendHeadEnd()
        headSent = true
        account.status = head.status
        try await flush()
    }

    public func write(_ bytes: [UInt8]) async throws(ExchangeFailure) {
        guard request.method != .head, !bytes.isEmpty else { return }
        prepareOutbound()
        if isChunkedAnswer { outbound.appendChunk(bytes.span) } else { outbound.append(bytes) }
        account.sent += bytes.count
        try await flush()
    }

    public func finish() async throws(ExchangeFailure) {
        if isChunkedAnswer, request.method != .head {
            prepareOutbound()
            outbound.appendLastChunk()
            try await flush()
        }
        isComplete = true
    }

    public func upgrade(_ head: ResponseHead) async throws(ExchangeFailure) -> UpgradedStream {
        precondition(head.status == 101 && decoder.isEnded)
        prepareOutbound()
        outbound.appendStatusLine(101, reason: head.reason())
        outbound.append(head.fields)
        outbound.append("Connection: Upgrade\r\n")
        outbound.appendHeadEnd()
        headSent = true
        mustClose = true
        account.status = 101
        account.isUpgraded = true
        try await flush()
        stream.socket.writeDeadline = .never
        phase = .tunneling
        isComplete = true
        // Bytes that came early are the first that are read.
        let early = inbound.withReadable { $0.array }
        inbound.removeAll()
        if inbound.capacity > 0 { core.giveBack(inbound.takeStorage()) }
        return UpgradedStream(stream, early: early)
    }
}
