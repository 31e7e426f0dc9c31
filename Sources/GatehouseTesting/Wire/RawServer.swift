import GatehouseBase
public import GatehouseNet

/// A server that says what its script says, byte for byte: answers that are cut, garbage, a 101
/// that nobody asked for.
public final class RawServer: Sendable {
    /// Plays the server on one connection, which is closed afterwards.
    public typealias Script = @Sendable (RawConnection, isolated EventLoop) async throws -> Void

    /// Where it listens, on 127.0.0.1.
    public let port: UInt16
    private let loop: EventLoop
    private let stopping = Delivery<Void>()

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - loop: nil for one of its own.
    ///   - tls: nil for plain TCP.
    ///   - script: for every connection anew.
    public init(
        on loop: EventLoop? = nil, tls: ServerTLS? = nil, _ script: @escaping Script
    ) throws(ListenError) {
        guard let address = Address(ip: "127.0.0.1", port: 0) else {
            preconditionFailure("a numeric address")
        }
        let (files, bound) = try Binding.tcp(address, count: 1)
        port = bound.port
        self.loop = loop ?? EventLoop(name: "raw-\(bound.port)")
        let stopping = self.stopping
        self.loop.start { loop in
            let listener = Listener(Descriptor(files[0]), core: loop.core)
            let stop = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                await stopping.value()
                listener.close()
            }
            await RawServer.serve(listener, tls, script, on: loop)
            await stop.value
        }
    }

    /// Stops listening.
    public func stop() { stopping.deliver(()) }

    private static func serve(
        _ listener: Listener, _ tls: ServerTLS?, _ script: @escaping Script,
        on loop: isolated EventLoop
    ) async {
        while let (socket, _) = await listener.accept() {
            _ = Task.immediate(executorPreference: loop.thread) {
                guard let stream = await RawServer.open(socket, tls) else { return }
                let connection = RawConnection(stream)
                // A script that fails ends its connection; the other side sees that.
                try? await script(connection, loop)
                connection.close()
            }
        }
    }

    private static func open(_ socket: Socket, _ tls: ServerTLS?) async -> ByteStream? {
        guard let tls else { return ByteStream(socket) }
        socket.readDeadline = .now() + .seconds(10)
        do throws(StreamError) {
            return try await ByteStream.accept(socket, tls)
        } catch {
            socket.close()
            return nil
        }
    }
}
