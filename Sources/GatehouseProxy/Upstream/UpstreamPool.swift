public import GatehouseBase
import GatehouseHTTP
public import GatehouseNet

/// Idle upstream connections of one loop, by target; the one used last is used next.
public final class UpstreamPool {
    /// Those of one target. Its connections know it: giving one back looks nothing up.
    final class Shelf {
        fileprivate var connections: [UpstreamConnection] = []
        /// The pool has let go of it: what comes back is closed.
        fileprivate var isClosed = false
    }

    private let core: LoopCore
    private let resolver: Resolver
    private let limits: Limits
    private var shelves: [ObjectIdentifier: Shelf] = [:]

    public init(core: LoopCore, resolver: Resolver, limits: Limits) {
        self.core = core
        self.resolver = resolver
        self.limits = limits
    }

    /// How many connections lie idle.
    public var idleCount: Int { shelves.values.reduce(0) { $0 + $1.connections.count } }

    /// The shelf of `target`. The key is not given out again while connections keep the target.
    private func shelf(_ target: UpstreamTarget) -> Shelf {
        let key = ObjectIdentifier(target)
        if let known = shelves[key] { return known }
        let made = Shelf()
        shelves[key] = made
        return made
    }

    /// An idle connection, if there is one that nobody has spoken on meanwhile.
    func takeIdle(_ target: UpstreamTarget) -> UpstreamConnection? {
        guard let shelf = shelves[ObjectIdentifier(target)] else { return nil }
        while let connection = shelf.connections.popLast() {
            connection.isIdle = false
            if connection.stream.hasUnreadEvent || connection.stream.socket.isHungUp {
                connection.close()
                continue
            }
            return connection
        }
        return nil
    }

    /// A fresh connection; name, TCP and TLS within the target's time.
    func connect(_ target: UpstreamTarget) async throws(StreamError) -> UpstreamConnection {
        let deadline = Instant.now() + target.connectTimeout
        let addresses = try await resolver.addresses(
            of: target.host, port: target.port, core: core, deadline: deadline)
        let socket = try await Connector.connect(
            to: addresses, core: core, deadline: deadline, addressDelay: limits.addressDelay)
        guard let tls = target.tls else {
            return UpstreamConnection(ByteStream(socket), target: target, shelf: shelf(target))
        }
        socket.readDeadline = deadline
        socket.writeDeadline = deadline
        do throws(StreamError) {
            let stream = try await ByteStream.connect(socket, tls, host: target.host)
            socket.readDeadline = .never
            socket.writeDeadline = .never
            return UpstreamConnection(stream, target: target, shelf: shelf(target))
        } catch {
            socket.close()
            throw error
        }
    }

    /// Keeps a connection after a clean exchange.
    func giveBack(_ connection: UpstreamConnection) {
        let shelf = connection.shelf
        // A TLS stream reads ahead of the record it gave: hidden bytes count as spoken.
        guard connection.inbound.isEmpty, !connection.stream.socket.isHungUp, !shelf.isClosed,
            shelf.connections.count < limits.idleUpstreams
        else { return connection.close() }
        connection.releaseInbound()
        connection.isReused = true
        connection.isIdle = true
        connection.stream.socket.readDeadline = .never
        connection.stream.socket.writeDeadline = .never
        if connection.idleTimer.onExpiry == nil {
            connection.idleTimer.onExpiry = { [weak connection] in
                if let connection, connection.isIdle { UpstreamPool.discard(connection) }
            }
        }
        core.set(connection.idleTimer, to: core.now + limits.idleUpstreamTime)
        shelf.connections.append(connection)
    }

    /// Takes an idle connection out and closes it.
    static func discard(_ connection: UpstreamConnection) {
        let shelf = connection.shelf
        connection.isIdle = false
        if let index = shelf.connections.firstIndex(where: { $0 === connection }) {
            shelf.connections.remove(at: index)
        }
        connection.close()
    }

    /// Closes all idle connections (drain, reload).
    public func closeIdle() {
        for shelf in shelves.values {
            shelf.isClosed = true
            for connection in shelf.connections {
                connection.isIdle = false
                connection.close()
            }
            shelf.connections.removeAll()
        }
        shelves.removeAll()
    }
}
