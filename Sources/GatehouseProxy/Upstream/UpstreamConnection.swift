import GatehouseBase
import GatehouseHTTP
public import GatehouseNet

/// A connection to an upstream: one request at a time, kept in the pool between them.
public final class UpstreamConnection: SocketWatcher {
    public let stream: ByteStream
    let target: UpstreamTarget
    var inbound = ByteBuffer()
    var outbound = ByteBuffer()
    /// Whether it has carried an exchange before: only then may a failure be the server's closing
    /// of an idle connection, which is worth a second try.
    var isReused = false
    /// Where it has its place, and lies while it is idle.
    let shelf: UpstreamPool.Shelf
    var isIdle = false
    /// Grows with each one that becomes idle.
    var idleNumber = 0
    let idleTimer = LoopTimer()
    /// Whether the rest of a request's body is of no use: its answer is there.
    var isUploadCancelled = false
    /// How long nothing may move, in either direction; nil for as long as it likes.
    var silence: Duration?
    /// Whether more of the client's body is awaited: a server that waits with us is not silent.
    var awaitsClient = false {
        didSet {
            if awaitsClient, silence != nil { stream.socket.readDeadline = .never }
            hasMoved()
        }
    }
    /// The memory of its answers' heads, one after the other.
    var head = ResponseHead()

    init(_ stream: ByteStream, target: UpstreamTarget, shelf: UpstreamPool.Shelf) {
        self.stream = stream
        self.target = target
        self.shelf = shelf
        stream.socket.watcher = self
    }

    /// An idle connection that gets a byte or an end is of no use any more.
    public func socketIsReady(hungUp: Bool) {
        if isIdle { UpstreamPool.discard(self) }
    }

    /// Reads more into `inbound`, waiting until there is something.
    /// - Returns: false at the end of the stream.
    func fill() async throws(StreamError) -> Bool {
        while true {
            if inbound.capacity == 0 {
                if !stream.hasPendingInput { try await stream.socket.waitReadable() }
                inbound = ByteBuffer(adopting: stream.socket.core.takeBuffer())
            }
            inbound.reserve(2048)
            switch try stream.tryRead(&inbound) {
            case .bytes: return true
            case .end: return false
            case .wouldBlock:
                releaseInbound()
                try await stream.waitReadable()
            }
        }
    }

    /// Writes `outbound` as far as the kernel takes it now.
    /// - Returns: whether that was all of it.
    func tryFlush() throws(StreamError) -> Bool {
        guard try stream.tryWrite(&outbound) else { return false }
        if outbound.capacity > 0 { stream.socket.core.giveBack(outbound.takeStorage()) }
        return true
    }

    /// Writes all of `outbound`, until the deadline that is set.
    func flush() async throws(StreamError) {
        while try !tryFlush() { try await stream.waitWritable() }
    }

    /// Writes all of `outbound`.
    ///
    /// - Parameter stall: how long the server may take nothing; nil for as long as it likes.
    /// - Throws: `aborted` too, where nobody wants it to have the rest any more.
    func flush(stall: Duration?) async throws(StreamError) {
        while try !tryFlush() {
            if isUploadCancelled { throw .aborted }
            let socket = stream.socket
            socket.writeDeadline = stall.map { socket.core.now + $0 } ?? .never
            try await stream.waitWritable()
            hasMoved()
        }
        hasMoved()
    }

    /// Bytes have gone or are awaited: from here on the silence counts.
    func hasMoved() {
        guard let silence, !awaitsClient else { return }
        stream.socket.readDeadline = stream.socket.core.now + silence
    }

    func prepareOutbound() {
        if outbound.capacity == 0 {
            outbound = ByteBuffer(adopting: stream.socket.core.takeBuffer())
        }
    }

    /// An idle connection holds no buffer.
    func releaseInbound() {
        if inbound.isEmpty, inbound.capacity > 0 {
            stream.socket.core.giveBack(inbound.takeStorage())
        }
    }

    /// Closes it, and gives up its place.
    func close() {
        guard stream.socket.isOpen else { return }
        stream.socket.core.cancel(idleTimer)
        idleTimer.onExpiry = nil
        inbound.removeAll()
        releaseInbound()
        if outbound.capacity > 0 { stream.socket.core.giveBack(outbound.takeStorage()) }
        stream.close(cleanly: false)
        shelf.leave()
    }
}
