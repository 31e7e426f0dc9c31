import GatehouseBase
import GatehouseHTTP
import GatehouseNet

/// The upstream's answer on its way to the client.
extension HTTP1Connection {
    /// Relays interim answers and the final one with its body, or turns into a tunnel.
    /// - Returns: what becomes of the upstream's connection.
    func relayAnswer(
        _ upstream: UpstreamConnection, _ forwarding: Forwarding, isUpgrade: Bool
    ) async throws(ExchangeFailure) -> UpstreamFate {
        upstream.silence = nil
        upstream.stream.socket.readDeadline = .never
        if let substitute = forwarding.substitute {
            // For everything, whatever moves.
            upstream.stream.socket.readDeadline = core.now + substitute.patience
        } else {
            upstream.silence = forwarding.target.firstByteTimeout
        }
        var head = ResponseHead()
        swap(&head, &upstream.head)
        defer { swap(&head, &upstream.head) }
        var interim = 0
        while true {
            try await readHead(upstream, into: &head)
            guard head.isInterim else { break }
            interim += 1
            guard interim <= limits.interimResponses else {
                throw ExchangeFailure(.upstreamMalformed(MessageError(.statusLine)))
            }
            if forwarding.substitute == nil { try await relayInterim(head, forwarding) }
        }
        account.answered = core.now
        if forwarding.substitute != nil { return .spent }
        upstream.stream.socket.readDeadline = .never
        upstream.silence = forwarding.target.responseIdle
        if head.status == 101 {
            let key = request.fields.text(.secWebSocketKey) ?? ""
            guard isUpgrade, UpgradeRequest.accepts(head, answer: WebSocketAccept.value(for: key))
            else {
                throw ExchangeFailure(.upstreamUpgrade)
            }
            try await openTunnel(upstream, head, forwarding)
            return .inTunnel
        }
        let framing = try upstreamRule { () throws(MessageError) in
            try BodyFraming.of(head, to: request.method)
        }
        try await relayFinal(upstream, head, framing, forwarding)
        return head.keepsAlive && framing != .untilClose && upstream.inbound.isEmpty
            ? .reusable : .spent
    }

    private func upstreamRule<Value>(
        _ body: () throws(MessageError) -> Value
    ) throws(ExchangeFailure) -> Value {
        do throws(MessageError) {
            return try body()
        } catch {
            throw ExchangeFailure(.upstreamMalformed(error))
        }
    }

    private func readHead(
        _ upstream: UpstreamConnection, into head: inout ResponseHead
    ) async throws(ExchangeFailure) {
        let parser = HeadParser.responses(limits)
        while true {
            if !upstream.inbound.isEmpty {
                let length = try upstreamRule { () throws(MessageError) in
                    try upstream.inbound.withReadable { (bytes) throws(MessageError) in
                        try parser.parse(bytes, into: &head)
                    }
                }
                if let length { return upstream.inbound.consume(length) }
            }
            upstream.hasMoved()
            do throws(StreamError) {
                guard try await upstream.fill() else { throw StreamError.closed }
            } catch {
                // Half a head is no answer, and no reason to ask again either.
                throw upstream.inbound.isEmpty
                    ? .upstream(error)
                    : ExchangeFailure(.upstreamMalformed(MessageError(.statusLine)))
            }
        }
    }

    /// 100 and 103 pass to clients that understand them (RFC 9110 §15.2).
    private func relayInterim(
        _ head: ResponseHead, _ forwarding: Forwarding
    ) async throws(ExchangeFailure) {
        guard request.version == .http11 else { return }
        if head.status == 100 {
            guard !isInvited else { return }
            isInvited = true
        }
        prepareOutbound()
        try upstreamRule { () throws(MessageError) in
            // A cookie of an interim answer has nowhere to be kept: it waits for the final one.
            _ = try ForwardingRules.appendResponse(
                head, framing: .none, keepAlive: .implied, forwarding.review, to: &outbound)
        }
        try await flush()
    }

    private func relayFinal(
        _ upstream: UpstreamConnection, _ head: ResponseHead, _ framing: BodyFraming,
        _ forwarding: Forwarding
    ) async throws(ExchangeFailure) {
        var outgoing = framing
        if framing == .chunked || framing == .untilClose {
            outgoing = request.version == .http11 ? .chunked : .untilClose
            if outgoing == .untilClose { mustClose = true }
        }
        // An answer that may be over before the body is ends the connection, and says so: a client
        // that stops there in mid-body could not be told from one that goes on.
        if !decoder.isEnded { mustClose = true }
        prepareOutbound()
        let mustCommit = try upstreamRule { () throws(MessageError) in
            try ForwardingRules.appendResponse(
                head, framing: outgoing, keepAlive: keepAlive, forwarding.review,
                location: locationRewriting(head, forwarding), to: &outbound)
        }
        if mustCommit { try await commit(forwarding.review) }
        headSent = true
        account.status = head.status
        var body = BodyDecoder(framing, limits)
        do throws(ExchangeFailure) {
            try moveAnswer(upstream, &body, isChunked: outgoing == .chunked, forwarding)
        } catch {
            // Nothing of it has gone out: the client is told in another answer.
            outbound.removeAll()
            headSent = false
            account.status = 0
            account.sent = 0
            throw error
        }
        while !body.isEnded {
            try await flush()
            if upstream.inbound.isEmpty {
                guard try await fillAnswer(upstream, body, forwarding) else {
                    prepareOutbound()
                    if outgoing == .chunked { outbound.appendLastChunk() }
                    break
                }
                forwarding.onRouteActivity?(.fromServer)
            }
            try moveAnswer(upstream, &body, isChunked: outgoing == .chunked, forwarding)
        }
        if try !tryFlush() { try await flush() }
        isComplete = true
        if head.status < 300 { forwarding.onRouteActivity?(.answered) }
    }

    /// Makes last what the review of a head has learnt, which stands in `outbound`.
    func commit(_ review: ResponseReview) async throws(ExchangeFailure) {
        do { try await review.screen?.commit() } catch {
            outbound.removeAll()
            throw ExchangeFailure(.recordsFailed, detail: "\(error)")
        }
    }

    /// What a Location of this answer becomes; nil where it passes in any case.
    private func locationRewriting(
        _ head: borrowing ResponseHead, _ forwarding: Forwarding
    ) -> ((String) -> String?)? {
        guard let rewriting = settings.forwarding.location,
            LocationField.isRewritten(head.status), let host = request.fields.text(.host)
        else { return nil }
        let authority = String(decoding: forwarding.target.hostField, as: UTF8.self)
        return { LocationField.rewritten($0, authority: authority, host: host, rewriting) }
    }

    /// Waits for more of the answer.
    /// - Returns: false when the close was its end.
    private func fillAnswer(
        _ upstream: UpstreamConnection, _ body: BodyDecoder, _ forwarding: Forwarding
    ) async throws(ExchangeFailure) -> Bool {
        upstream.hasMoved()
        do throws(StreamError) {
            if try await upstream.fill() { return true }
        } catch {
            throw .upstream(error)
        }
        guard body.endsWithConnection else { throw ExchangeFailure(.upstreamClosed) }
        return false
    }

    /// Moves what is at hand of the answer's body, framed anew.
    private func moveAnswer(
        _ upstream: UpstreamConnection, _ body: inout BodyDecoder, isChunked: Bool,
        _ forwarding: Forwarding
    ) throws(ExchangeFailure) {
        guard !body.isEnded else { return }
        prepareOutbound()
        while !upstream.inbound.isEmpty, !body.isEnded {
            let step = try upstreamRule { () throws(MessageError) in
                try upstream.inbound.withReadable { (bytes) throws(MessageError) in
                    let step = try body.decode(bytes)
                    if step.payload > 0 {
                        let payload = bytes.extracting(step.skipped..<step.skipped + step.payload)
                        if isChunked {
                            outbound.appendChunk(payload)
                        } else {
                            outbound.append(payload)
                        }
                        account.sent += step.payload
                    }
                    return step
                }
            }
            upstream.inbound.consume(step.skipped + step.payload)
            if step.skipped + step.payload == 0 { break }
        }
        if isChunked, body.isEnded {
            let trailers = body.trailers.flatMap {
                ForwardingRules.passingTrailers($0, forwarding.edits.identityNames)
            }
            outbound.appendLastChunk(trailers: trailers)
        }
    }
}
