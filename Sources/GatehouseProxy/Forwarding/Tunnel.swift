import GatehouseBase
import GatehouseHTTP
import GatehouseNet

/// One side of a tunnel: what comes from it, and where its frames stand.
final class TunnelSide {
    let stream: ByteStream
    var buffer: ByteBuffer
    var frames: WebSocketFrameTracker
    /// Whether what came from this side is being written to the other.
    var isWriting = false
    /// Whether the other side has said all that it has to say.
    var isLast = false
    /// Whether it reads no more: what it has said before may be on its way all the same.
    var takesNothing = false
    /// Until when what it says is read, and thrown away.
    var end = Instant.never

    init(
        _ stream: ByteStream, _ buffer: consuming ByteBuffer, _ sender: WebSocketFrameTracker.Sender
    ) {
        self.stream = stream
        self.buffer = buffer
        frames = WebSocketFrameTracker(sender)
    }

    func release() {
        buffer.removeAll()
        if buffer.capacity > 0 { stream.socket.core.giveBack(buffer.takeStorage()) }
    }
}

/// Bytes after an upgrade, both ways, untouched. Frame headers are followed from the start, so
/// that the end of the session can be said in a Close frame at a frame's boundary.
///
/// A side that ends is said to the other, which may go on for a while (half-close).
final class Tunnel {
    private let client: TunnelSide
    private let server: TunnelSide
    private let settings: ConnectionSettings
    private var limits: Limits { settings.limits }
    private var cause: EndCause?
    private var deadline = Instant.never
    /// Told of each data frame from the client.
    var onClientData: (() -> Void)?
    /// Told of bytes of either side.
    var onRouteActivity: ((RouteActivity) -> Void)?
    private(set) var sent = 0
    private(set) var received = 0

    init(client: TunnelSide, server: TunnelSide, _ settings: ConnectionSettings) {
        self.client = client
        self.server = server
        self.settings = settings
    }

    /// Runs until both directions have ended.
    func run() async {
        let upward = client.stream.socket.core.fork {
            await self.pump(self.client, to: self.server)
        }
        await pump(server, to: client)
        await upward.value
        if cause != nil {
            // Only now: while a pump is about, it is the one that waits for its side.
            try? await discard(client)
            try? await discard(server)
        }
        client.release()
        server.release()
    }

    /// Ends both directions: a Close frame where a frame has ended, a reset where none has.
    func end(_ cause: EndCause) {
        guard self.cause == nil else { return }
        self.cause = cause
        deadline = .now() + limits.closeFlush
        for (source, sink) in [(client, server), (server, client)] {
            sink.stream.socket.writeDeadline = deadline
            // Caught in the middle of a write: what is left of it must not go out.
            if source.isWriting {
                sink.stream.resetNow()
            } else {
                source.stream.socket.interruptRead()
            }
        }
    }

    private func pump(_ source: TunnelSide, to sink: TunnelSide) async {
        do throws(StreamError) {
            while cause == nil {
                if source.buffer.isEmpty, try await !fill(source) { break }
                guard cause == nil else { break }
                note(source)
                source.isWriting = true
                let isTaken = try await write(source, to: sink)
                source.isWriting = false
                if !isTaken, cause == nil { return try await outlast(source, sink) }
            }
            if cause == nil { return halfClose(source, sink) }
        } catch {
            source.isWriting = false
            if cause == nil {
                if error == .reset, source.takesNothing { return halfClose(source, sink) }
                // Either stream failed: nothing more passes, in neither direction.
                client.stream.abort(.closed)
                server.stream.abort(.closed)
                return
            }
            // One side was reset; the other is told all the same.
        }
        await sayEnd(to: sink, after: source)
    }

    /// Writes what has come, for as long as it takes: the page behind a tab that sleeps reads
    /// nothing. Who has vanished is found by TCP, which sends on in vain. Only for a client who has
    /// gone a server that takes nothing is not waited for.
    /// - Returns: false where the other side reads no more.
    private func write(
        _ source: TunnelSide, to sink: TunnelSide
    ) async throws(StreamError) -> Bool {
        do throws(StreamError) {
            while try !sink.stream.tryWrite(&source.buffer) {
                if client.stream.socket.isHungUp { clientHasHungUp() }
                try await sink.stream.waitWritable()
            }
            return true
        } catch {
            guard error == .reset else { throw error }
            return false
        }
    }

    /// Limits how long the server may take nothing of what a client has left behind.
    func clientHasHungUp() {
        guard client.isWriting, cause == nil else { return }
        server.stream.socket.writeDeadline = .now() + limits.halfClosed
    }

    /// Lets a side that reads no more say what it has said before it stopped: why, in a Close
    /// frame. What the other one says meanwhile is thrown away, since a socket that is closed with
    /// unread bytes takes back what it has sent.
    private func outlast(_ source: TunnelSide, _ sink: TunnelSide) async throws(StreamError) {
        sink.takesNothing = true
        sink.isLast = true
        limitSilence(of: sink)
        source.buffer.removeAll()
        while cause == nil, Instant.now() < source.end, try await fill(source) {
            source.buffer.removeAll()
        }
    }

    /// Waits for bytes. Idle sides hold no buffer and have no deadline.
    private func fill(_ source: TunnelSide) async throws(StreamError) -> Bool {
        while cause == nil {
            if source.buffer.capacity == 0 {
                try await source.stream.waitReadable()
                if cause != nil { return false }
                source.buffer = ByteBuffer(adopting: source.stream.socket.core.takeBuffer())
            }
            switch try source.stream.tryRead(&source.buffer) {
            case .bytes: return true
            case .end: return false
            case .wouldBlock:
                source.release()
                if source.isLast { limitSilence(of: source) }
                try await source.stream.waitReadable()
            }
        }
        return false
    }

    private func note(_ source: TunnelSide) {
        let before = source.frames.dataFrames
        source.buffer.withReadable { source.frames.follow($0) }
        onRouteActivity?(source === client ? .fromClient : .fromServer)
        if source === client {
            received += source.buffer.count
            if source.frames.dataFrames != before { onClientData?() }
        } else {
            sent += source.buffer.count
        }
    }

    private func halfClose(_ source: TunnelSide, _ sink: TunnelSide) {
        sink.stream.shutdownWrite()
        sink.isLast = true
        if source.takesNothing { sink.end = .now() + limits.lingerTime }
        limitSilence(of: sink)
    }

    /// Who is left may say whatever he has to say, but not stay silent for ever.
    private func limitSilence(of side: TunnelSide) {
        guard cause == nil else { return }
        side.stream.socket.readDeadline = min(.now() + limits.halfClosed, side.end)
    }

    /// 1008 to the browser, 1001 to the upstream (RFC 6455 §7.4.1), then the end.
    private func sayEnd(to sink: TunnelSide, after source: TunnelSide) async {
        guard source.frames.isAtBoundary, !source.frames.sawClose else {
            return sink.stream.resetNow()
        }
        let isBrowser = sink === client
        let code =
            isBrowser && cause != .shutdown
            ? WebSocketClose.policyViolation : WebSocketClose.goingAway
        let key: UInt32? = isBrowser ? nil : UInt32.random(in: .min ... .max)
        var frame = ByteBuffer()
        frame.append(
            WebSocketClose.frame(
                code: code, reason: cause == .shutdown ? "going away" : "session ended",
                maskingKey: key))
        do throws(StreamError) {
            while try !sink.stream.tryWrite(&frame) { try await sink.stream.waitWritable() }
            sink.stream.shutdownWrite()
        } catch {
            sink.stream.resetNow()
        }
    }

    /// Reads on until the peer has closed or the time is over; nothing of it passes.
    private func discard(_ side: TunnelSide) async throws(StreamError) {
        side.stream.socket.readDeadline = deadline
        var rest = ByteBuffer(adopting: side.stream.socket.core.takeBuffer())
        defer { side.stream.socket.core.giveBack(rest.takeStorage()) }
        while Instant.now() < deadline {
            rest.removeAll()
            switch try side.stream.tryRead(&rest) {
            case .bytes: continue
            case .end: return
            case .wouldBlock: try await side.stream.waitReadable()
            }
        }
    }
}

extension HTTP1Connection {
    /// Answers 101. The tunnel runs when the responder has returned.
    func openTunnel(
        _ upstream: UpstreamConnection, _ head: ResponseHead, _ forwarding: Forwarding
    ) async throws(ExchangeFailure) {
        prepareOutbound()
        let mustCommit: Bool
        do throws(MessageError) {
            mustCommit = try ForwardingRules.appendResponse(
                head, framing: .none, keepAlive: .implied, isUpgrade: true, forwarding.review,
                to: &outbound)
        } catch {
            throw ExchangeFailure(.upstreamMalformed(error))
        }
        if mustCommit { try await commit(forwarding.review) }
        headSent = true
        mustClose = true
        account.status = 101
        account.isUpgraded = true
        try await flush()
        let tunnel = Tunnel(
            client: TunnelSide(stream, take(&inbound), .client),
            server: TunnelSide(upstream.stream, take(&upstream.inbound), .server), settings)
        tunnel.onClientData = forwarding.onActivity
        tunnel.onRouteActivity = forwarding.onRouteActivity
        stream.socket.writeDeadline = .never
        upstream.stream.socket.writeDeadline = .never
        self.tunnel = tunnel
        phase = .tunneling
    }

    /// Copies until both sides have ended, then closes.
    public func runTunnel(_ responder: any Responder) async {
        guard let tunnel else { return }
        await tunnel.run()
        self.tunnel = nil
        account.sent = tunnel.sent
        account.received = tunnel.received
        isComplete = true
        upstream?.close()
        upstream = nil
        if stream.socket.isOpen { stream.abort(.closed) }
        responder.tunnelHasEnded(self)
        close()
    }

    /// Moves a buffer out: bytes that came early go first.
    private func take(_ buffer: inout ByteBuffer) -> ByteBuffer {
        var taken = ByteBuffer()
        swap(&taken, &buffer)
        return taken
    }
}
