public import GatehouseBase

/// A connection as everything above sees it: plain or TLS, the same calls.
///
/// `tryRead` and `tryWrite` never wait. `waitReadable` and `waitWritable` do, until the deadline of
/// ``Socket``. One task may wait in each direction.
public final class ByteStream {
    public let socket: Socket
    private let tls: TLSStream?

    /// Without TLS.
    public init(_ socket: Socket) {
        self.socket = socket
        tls = nil
    }

    private init(_ socket: Socket, _ tls: TLSStream) {
        self.socket = socket
        self.tls = tls
    }

    public var isTLS: Bool { tls != nil }

    /// The cipher that both sides agreed on, by OpenSSL's name; nil without TLS.
    public var cipher: String? { tls?.cipher }

    /// The server's part of a handshake; the deadline is the socket's.
    public static func accept(
        _ socket: Socket, _ context: ServerTLS
    ) async throws(StreamError) -> ByteStream {
        // Sound: the handle is handed over to the stream, which frees it.
        let tls = unsafe TLSStream(context.makeHandle(), socket: socket, owner: context)
        return try await handshake(socket, tls)
    }

    /// The client's part of a handshake with `host`.
    public static func connect(
        _ socket: Socket, _ context: ClientTLS, host: String
    ) async throws(StreamError) -> ByteStream {
        // Sound: the handle is handed over to the stream, which frees it.
        let tls = unsafe TLSStream(context.makeHandle(host: host), socket: socket, owner: context)
        return try await handshake(socket, tls)
    }

    private static func handshake(
        _ socket: Socket, _ tls: TLSStream?
    ) async throws(StreamError) -> ByteStream {
        guard let tls else { throw .tls("out of memory") }
        do throws(StreamError) {
            while try tls.handshake() == .wouldBlock {
                if tls.hasPendingOutput {
                    try await socket.waitWritable()
                } else {
                    try await socket.waitReadable()
                }
            }
        } catch {
            tls.release()
            throw error
        }
        return ByteStream(socket, tls)
    }

    /// Reads what there is into the free room of `buffer`, which must have some.
    @inline(__always)
    public func tryRead(_ buffer: inout ByteBuffer) throws(StreamError) -> ReadResult {
        guard let tls else { return try socket.tryRead(&buffer) }
        return try tls.tryRead(&buffer)
    }

    /// Writes from the front of `buffer`. False: wait for ``waitWritable()`` and call again, also
    /// when `buffer` is empty by then.
    @inline(__always)
    public func tryWrite(_ buffer: inout ByteBuffer) throws(StreamError) -> Bool {
        guard let tls else { return try socket.tryWrite(&buffer) }
        return try tls.tryWrite(&buffer)
    }

    /// Whether all that was written has been handed to the kernel.
    public var isFlushed: Bool { !(tls?.hasPendingOutput ?? false) }

    /// Hands to the kernel what TLS still holds.
    public func tryFlush() throws(StreamError) -> Bool { try tls?.flush() ?? true }

    /// Whether TLS has bytes that a wait for the socket would sleep over.
    @inline(__always)
    public var hasPendingInput: Bool { tls?.hasPendingInput ?? false }

    public func waitReadable() async throws(StreamError) {
        if hasPendingInput { return }
        try await socket.waitReadable()
    }

    public func waitWritable() async throws(StreamError) {
        try await socket.waitWritable()
    }

    /// Whether bytes, an end or an error came while nobody asked.
    public var hasUnreadEvent: Bool { socket.hasUnreadEvent || hasPendingInput }

    /// Ends our direction: close_notify, then FIN.
    public func shutdownWrite() {
        tls?.sayGoodbye()
        socket.shutdownWrite()
    }

    /// Makes every pending and later call throw; the owner closes.
    public func abort(_ error: StreamError = .aborted) { socket.abort(error) }

    /// Aborts with a reset: nothing that is still held goes out.
    public func resetNow() { socket.resetNow() }

    /// Closes; after a clean end says so first.
    public func close(cleanly: Bool) {
        guard socket.isOpen else { return }
        if cleanly { tls?.sayGoodbye() }
        tls?.release()
        socket.close()
    }
}
