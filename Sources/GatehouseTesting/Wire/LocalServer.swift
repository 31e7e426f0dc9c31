public import GatehouseBase
public import GatehouseNet
public import GatehouseProxy
import Synchronization

/// A responder on a port of this machine, on one loop: for tests and for the demonstration.
public final class LocalServer: Sendable {
    /// Where it listens, on 127.0.0.1.
    public let port: UInt16
    /// The loop that it runs on.
    public let loop: EventLoop
    private let stopping = Delivery<Void>()
    private let ended = Delivery<Void>()
    private let isStopped = Atomic(false)

    private init(port: UInt16, loop: EventLoop) {
        self.port = port
        self.loop = loop
    }

    /// Starts to answer; connections are taken from the moment of the return.
    ///
    /// - Parameters:
    ///   - port: nil for one that is free.
    ///   - loop: nil for one of its own.
    ///   - tls: nil for plain TCP.
    ///   - onFull: told where there is no room for more connections.
    ///   - make: makes the responder on the loop; called once.
    public static func start(
        _ port: LocalPort? = nil, on loop: EventLoop? = nil, tls: ServerTLS? = nil,
        limits: Limits = Limits(), maximumConnections: Int = 10_000,
        onFull: (@Sendable (Int) -> Void)? = nil,
        _ make: @escaping @Sendable (isolated EventLoop) -> any Responder
    ) throws(ListenError) -> LocalServer {
        let port = if let port { port } else { try LocalPort() }
        let server = LocalServer(
            port: port.number, loop: loop ?? EventLoop(name: "local-\(port.number)"))
        server.loop.start { loop in
            let acceptor = ConnectionAcceptor(
                Listener(Descriptor(port.file), core: loop.core), responder: make(loop),
                options: ConnectionAcceptor.Options(
                    tls: tls,
                    settings: ConnectionSettings(publicPort: port.number, limits: limits),
                    maximumConnections: maximumConnections, onFull: onFull))
            await server.serve(acceptor, on: loop)
        }
        return server
    }

    /// Closes the port and ends every connection.
    public func stop() async {
        guard !isStopped.exchange(true, ordering: .relaxed) else { return }
        stopping.deliver(())
        await ended.value()
    }

    private func serve(_ acceptor: ConnectionAcceptor, on loop: isolated EventLoop) async {
        let stop = Task.immediate(executorPreference: loop.thread) {
            _ = loop
            await self.stopping.value()
            acceptor.drain()
            acceptor.endAll()
        }
        await acceptor.run(on: loop)
        await stop.value
        ended.deliver(())
    }
}
