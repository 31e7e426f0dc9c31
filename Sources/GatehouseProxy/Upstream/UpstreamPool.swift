public import GatehouseBase
import GatehouseHTTP
public import GatehouseNet

/// Idle upstream connections of one loop, by target; the one used last is used next.
public final class UpstreamPool {
    private let core: LoopCore
    private let resolver: Resolver
    private let limits: Limits
    private var idle: [ObjectIdentifier: [UpstreamConnection]] = [:]

    public init(core: LoopCore, resolver: Resolver, limits: Limits) {
        self.core = core
        self.resolver = resolver
        self.limits = limits
    }

    /// How many connections lie idle.
    public var idleCount: Int { idle.values.reduce(0) { $0 + $1.count } }

    /// An idle connection, if there is one that nobody has spoken on meanwhile.
    func takeIdle(_ target: UpstreamTarget) -> UpstreamConnection? {
        let key = ObjectIdentifier(target)
        while let connection = idle[key]?.popLast() {
            connection.isIdle = false
            if connection.stream.hasUnreadEvent || connection.stream.socket.isHungUp {
                connection.close()
                continue
            }
            return connection
        }
        return nil
    }

    /// A fresh connection.
    func connect(_ target: UpstreamTarget) async throws(StreamError) -> UpstreamConnection {
        let deadline = Instant.now() + target.connectTimeout
        let addresses = try await resolver.addresses(of: target.host, port: target.port)
        let socket = try await Connector.connect(
            to: addresses, core: core, deadline: deadline, addressDelay: limits.addressDelay)
        guard let tls = target.tls else {
            return UpstreamConnection(ByteStream(socket), target: target)
        }
        socket.readDeadline = deadline
        socket.writeDeadline = deadline
        do throws(StreamError) {
            let stream = try await ByteStream.connect(socket, tls, host: target.host)
            socket.readDeadline = .never
            socket.writeDeadline = .never
            return UpstreamConnection(stream, target: target)
        } catch {
            socket.close()
            throw error
        }
    }

    /// Keeps a connection after a clean exchange.
    func giveBack(_ connection: UpstreamConnection) {
        let key = ObjectIdentifier(connection.target)
        // A TLS stream reads ahead of the record it gave: hidden bytes count as spoken.
        guard connection.inbound.isEmpty, !connection.stream.socket.isHungUp,
            idle[key, default: []].count < limits.idleUpstreams
        else { return connection.close() }
        connection.releaseInbound()
        connection.isReused = true
        connection.isIdle = true
        connection.pool = self
        connection.stream.socket.readDeadline = .never
        connection.stream.socket.writeDeadline = .never
        if connection.idleTimer.onExpiry == nil {
            connection.idleTimer.onExpiry = { [weak connection] in
                guard let connection, connection.isIdle else { return }
                connection.pool?.discard(connection)
            }
        }
        core.set(connection.idleTimer, to: core.now + limits.idleUpstreamTime)
        idle[key, default: []].append(connection)
    }

    /// Takes an idle connection out and closes it.
    func discard(_ connection: UpstreamConnection) {
        let key = ObjectIdentifier(connection.target)
        connection.isIdle = false
        if let index = idle[key]?.firstIndex(where: { $0 === connection }) {
            idle[key]?.remove(at: index)
        }
        connection.close()
    }

    /// Closes all idle connections (drain, reload).
    public func closeIdle() {
        for connections in idle.values {
            for connection in connections {
                connection.isIdle = false
                connection.close()
            }
        }
        idle.removeAll()
    }
}
