import GatehouseBase
import GatehouseHTTP
import GatehouseNet

/// What becomes of an upstream's connection after an exchange.
enum UpstreamFate {
    /// It can carry another one.
    case reusable
    case spent
    /// It goes on as one side of a tunnel.
    case inTunnel
}

/// Forwarding of one exchange: choose a connection, try, try once more if that is safe.
extension HTTP1Connection {
    public func forward(_ forwarding: Forwarding) async throws(ExchangeFailure) {
        guard let substitute = forwarding.substitute else { return try await pass(forwarding) }
        do throws(ExchangeFailure) {
            try await pass(forwarding)
        } catch {
            // Whatever the upstream does: the answer is ours.
            guard error.fault == .upstream else { throw error }
        }
        await send(substitute.response)
    }

    private func pass(_ forwarding: Forwarding) async throws(ExchangeFailure) {
        let upgrade = UpgradeRequest.of(request, framing: framing)
        if case .refused(let error) = upgrade { throw ExchangeFailure(.malformed(error)) }
        if let limit = forwarding.maximumBody, case .length(let count) = framing, count > limit {
            throw ExchangeFailure(.bodyTooLarge)
        }
        if framing != .none, !inbound.isEmpty { forwarding.onRouteActivity?(.fromClient) }
        var idle = forwarding.pool.takeIdle(forwarding.target)
        while true {
            let upstream = if let idle { idle } else { try await connect(forwarding) }
            account.connected = core.now
            self.upstream = upstream
            do throws(ExchangeFailure) {
                let fate = try await exchange(
                    upstream, forwarding, isUpgrade: upgrade == .webSocket)
                if fate == .inTunnel { return }
                self.upstream = nil
                if fate == .reusable {
                    forwarding.pool.giveBack(upstream)
                } else {
                    upstream.close()
                }
                return
            } catch {
                self.upstream = nil
                upstream.close()
                guard upstream.isReused, error.allowsRetry, mayReplay else { throw error }
                idle = nil
            }
        }
    }

    /// Whether the request can be sent a second time (RFC 9110 §9.2.2): nothing of it is lost, and
    /// nothing of an answer has been shown.
    private var mayReplay: Bool {
        request.method.isIdempotent && framing == .none && !headSent && !stream.socket.isHungUp
            && account.endCause == nil
    }

    private func connect(
        _ forwarding: Forwarding
    ) async throws(ExchangeFailure) -> UpstreamConnection {
        let abandonment = Abandonment()
        self.abandonment = abandonment
        defer { self.abandonment = nil }
        do throws(ExchangeFailure) {
            let fresh = try await forwarding.pool.connect(
                forwarding.target, within: forwarding.substitute?.patience,
                abandonment: abandonment)
            guard stream.socket.isHungUp || account.endCause != nil else { return fresh }
            fresh.close()
        } catch {
            guard abandonment.isAbandoned else { throw error }
        }
        throw ExchangeFailure(.clientGone)
    }

    /// Sends the request and relays the answer.
    private func exchange(
        _ upstream: UpstreamConnection, _ forwarding: Forwarding, isUpgrade: Bool
    ) async throws(ExchangeFailure) -> UpstreamFate {
        guard !stream.socket.isHungUp else { throw ExchangeFailure(.clientGone) }
        let isAwaited = awaitsInvitation
        try writeRequest(to: upstream, forwarding, isUpgrade: isUpgrade)
        do throws(StreamError) {
            if try !upstream.tryFlush() { try await upstream.flush(stall: limits.writeStall) }
        } catch {
            guard error == .reset else { throw .upstream(error) }
            // It takes no more: its answer may be there all the same.
            _ = try await relayAnswer(upstream, forwarding, isUpgrade: false)
            return .spent
        }
        guard !decoder.isEnded else {
            return try await relayAnswer(upstream, forwarding, isUpgrade: isUpgrade)
        }
        // The body streams beside the answer, which may come before its end.
        if isAwaited { armInvitation() }
        let upload = core.fork { await self.upload(to: upstream, forwarding) }
        let result: Result<UpstreamFate, ExchangeFailure>
        do throws(ExchangeFailure) {
            result = .success(try await relayAnswer(upstream, forwarding, isUpgrade: false))
        } catch {
            result = .failure(uploadFailure ?? error)
        }
        disarmInvitation()
        isUploadCancelled = true
        upstream.isUploadCancelled = true
        upstream.stream.socket.interruptWrite()
        stream.socket.interruptRead()
        await upload.value
        isUploadCancelled = false
        upstream.isUploadCancelled = false
        let fate = try result.get()
        let isWhole =
            decoder.isEnded && uploadFailure == nil && upstream.outbound.isEmpty
            && upstream.stream.isFlushed
        return isWhole ? fate : .spent
    }

    /// Writes the head and what has come of the body.
    private func writeRequest(
        to upstream: UpstreamConnection, _ forwarding: Forwarding, isUpgrade: Bool
    ) throws(ExchangeFailure) {
        upstream.prepareOutbound()
        do throws(MessageError) {
            try ForwardingRules.appendRequest(
                request, framing: framing, isUpgrade: isUpgrade, edits: forwarding.edits,
                targetHost: forwarding.target.hostField, id: forwarding.requestID,
                forwarded: forwardedFields, isTLS: isTLS, settings.forwarding,
                rewriting: forwarding.rewriting, to: &upstream.outbound)
        } catch {
            throw ExchangeFailure(.malformed(error))
        }
        if framing != .none { try moveBody(to: upstream, forwarding) }
    }

    // MARK: The request's body

    private func upload(to upstream: UpstreamConnection, _ forwarding: Forwarding) async {
        while !decoder.isEnded, !isUploadCancelled {
            do throws(ExchangeFailure) {
                if inbound.isEmpty {
                    upstream.awaitsClient = true
                    defer { upstream.awaitsClient = false }
                    try await fillBody()
                }
                disarmInvitation()
                guard !isUploadCancelled else { return }
                upstream.prepareOutbound()
                try moveBody(to: upstream, forwarding)
            } catch {
                if isUploadCancelled { return }
                uploadFailure = error
                upstream.stream.abort()
                return
            }
            do throws(StreamError) {
                try await upstream.flush(stall: limits.writeStall)
            } catch {
                // The upstream takes no more: its answer may be there all the same.
                return
            }
        }
    }

    /// Moves what is at hand of the body, framed anew.
    private func moveBody(
        to upstream: UpstreamConnection, _ forwarding: Forwarding
    ) throws(ExchangeFailure) {
        let isChunked = framing == .chunked
        if !inbound.isEmpty { forwarding.onRouteActivity?(.fromClient) }
        try takeBody { bytes in
            if isChunked {
                upstream.outbound.appendChunk(bytes)
            } else {
                upstream.outbound.append(bytes)
            }
        }
        if let limit = forwarding.maximumBody, account.received > limit {
            throw ExchangeFailure(.bodyTooLarge)
        }
        if isChunked, decoder.isEnded {
            let trailers = decoder.trailers.flatMap {
                ForwardingRules.passingTrailers($0, forwarding.edits.identityNames)
            }
            upstream.outbound.appendLastChunk(trailers: trailers)
        }
    }
}
