public import GatehouseBase
import GatehouseHTTP
public import GatehouseNet

/// Accepts connections of one listener on one loop: TLS first where there is some, then HTTP/1.
/// (The place where ALPN will choose HTTP/2.)
public final class ConnectionAcceptor {
    public struct Options {
        /// nil: in clear.
        public var tls: ServerTLS?
        public var settings: ConnectionSettings
        /// Connections of this loop at most; above, idle ones are given up, and accepting pauses.
        public var maximumConnections: Int
        /// Told of the number of connections where that is reached, once a minute at most.
        public var onFull: ((Int) -> Void)?

        public init(
            tls: ServerTLS?, settings: ConnectionSettings, maximumConnections: Int,
            onFull: ((Int) -> Void)? = nil
        ) {
            self.tls = tls
            self.settings = settings
            self.maximumConnections = maximumConnections
            self.onFull = onFull
        }
    }

    /// Replaced on reload; connections keep what they began with.
    public var options: Options
    /// As ``options``.
    public var responder: any Responder
    private let listener: Listener
    private var connections: [ObjectIdentifier: HTTP1Connection] = [:]
    private var count = 0
    private let room = Signal()
    private var nextWarning = Instant(nanoseconds: 0)
    private var isDraining = false
    /// Counts what ``endAfterExchanges()`` has ended.
    private var generation = 0

    public init(_ listener: Listener, responder: any Responder, options: Options) {
        self.listener = listener
        self.responder = responder
        self.options = options
    }

    /// Live connections, handshakes included.
    public var connectionCount: Int { count }

    /// Accepts until the listener is closed.
    public func run(on loop: isolated EventLoop) async {
        while let (socket, peer) = await listener.accept() {
            count += 1
            let responder = responder
            loop.core.fork {
                let connection = await self.serve(socket, peer, responder)
                guard let connection, connection.hasTunnel else { return self.forget(connection) }
                // In another task: this one keeps the memory of its deepest call while it lives.
                loop.core.fork {
                    await connection.runTunnel(responder)
                    self.forget(connection)
                }
            }
            while count >= options.maximumConnections, !isDraining { await makeRoom(loop.core) }
        }
    }

    /// Gives up those that have been idle for longest, an eighth at once, and waits until one
    /// has gone.
    private func makeRoom(_ core: LoopCore) async {
        if core.now >= nextWarning {
            nextWarning = core.now + .seconds(60)
            options.onFull?(count)
        }
        let idle = connections.values.filter { $0.idleSince != nil }
        let oldest = idle.sorted { ($0.idleSince ?? .never) < ($1.idleSince ?? .never) }
        for connection in oldest.prefix((idle.count + 7) / 8) { connection.giveUp() }
        // One may become idle meanwhile.
        let timer = LoopTimer { self.room.raise() }
        core.set(timer, to: .now() + .milliseconds(250))
        await room.wait()
        core.cancel(timer)
    }

    private func serve(
        _ socket: Socket, _ peer: Address, _ responder: any Responder
    ) async -> HTTP1Connection? {
        let settings = options.settings
        let generation = generation
        guard let stream = await open(socket, peer, settings.limits.tlsHandshake) else {
            return nil
        }
        let connection = HTTP1Connection(stream, peer: peer, settings)
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain() }
        if generation != self.generation { connection.endAfterExchange() }
        await connection.serve(responder)
        return connection
    }

    private func forget(_ connection: HTTP1Connection?) {
        if let connection { connections[ObjectIdentifier(connection)] = nil }
        count -= 1
        room.raise()
    }

    private func open(
        _ socket: Socket, _ peer: Address, _ patience: Duration
    ) async -> ByteStream? {
        guard let tls = options.tls else { return ByteStream(socket) }
        socket.readDeadline = .now() + patience
        socket.writeDeadline = socket.readDeadline
        do throws(StreamError) {
            let stream = try await ByteStream.accept(socket, tls)
            socket.writeDeadline = .never
            return stream
        } catch {
            socket.close()
            responder.handshakeHasFailed(peer, error)
            return nil
        }
    }

    /// Closes the listener and idle connections; the others end after their exchange.
    public func drain() {
        isDraining = true
        listener.close()
        room.raise()
        for connection in connections.values { connection.drain() }
    }

    /// Lets the connections that there are end after their exchange, and goes on accepting.
    public func endAfterExchanges() {
        generation += 1
        for connection in connections.values { connection.endAfterExchange() }
    }

    /// Ends what is still there, WebSockets with 1001.
    public func endAll() {
        for connection in connections.values { connection.end(.shutdown) }
    }

    /// Waits until no request is in flight; tunnels do not count.
    public func waitUntilQuiet(deadline: Instant, core: LoopCore) async {
        while connections.values.contains(where: { $0.isBusy && !$0.isTunnel }),
            Instant.now() < deadline
        {
            await EventLoop.sleep(.milliseconds(20), on: core)
        }
    }

    /// Waits until all connections have gone.
    public func waitUntilEmpty(deadline: Instant, core: LoopCore) async {
        while count > 0, Instant.now() < deadline {
            await EventLoop.sleep(.milliseconds(20), on: core)
        }
    }
}
