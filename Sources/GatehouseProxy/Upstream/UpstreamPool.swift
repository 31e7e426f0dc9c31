public import GatehouseBase
import GatehouseHTTP
public import GatehouseNet

/// Upstream connections of one loop, by target; the one used last is used next. Of a target
/// without connections nothing is kept.
public final class UpstreamPool {
    private let core: LoopCore
    private let resolver: Resolver
    /// Replaced on reload.
    public var limits: Limits
    /// Connections at most, before those that are idle are given up for a new one. Busy ones are
    /// as many as clients want.
    public var maximumConnections = Int.max
    /// Where our own listeners for everybody are: a connection that comes there would come back.
    public var ownAddresses: [Address] = []
    private var shelves: [ObjectIdentifier: Shelf] = [:]
    /// How many connections there are, idle, in use or being made.
    public internal(set) var connectionCount = 0
    private var idleNumber = 0
    private var nextLook = Instant(nanoseconds: 0)
    /// Connections made since the start.
    public private(set) var openedCount = 0
    /// Exchanges since the start that got a connection which had carried another.
    public private(set) var reusedCount = 0

    public init(core: LoopCore, resolver: Resolver, limits: Limits) {
        self.core = core
        self.resolver = resolver
        self.limits = limits
    }

    /// How many connections lie idle.
    public var idleCount: Int { shelves.values.reduce(0) { $0 + $1.idle.count } }

    /// How many targets have connections, idle or in use.
    public var targetCount: Int { shelves.count }

    /// The shelf of `target`. The key is not given out again while connections keep the target, and
    /// without them there is no shelf.
    private func shelf(_ target: UpstreamTarget) -> Shelf {
        let key = ObjectIdentifier(target)
        if let known = shelves[key] { return known }
        let made = Shelf(self, key)
        shelves[key] = made
        return made
    }

    /// An idle connection, if there is one that nobody has spoken on meanwhile.
    func takeIdle(_ target: UpstreamTarget) -> UpstreamConnection? {
        guard let shelf = shelves[ObjectIdentifier(target)] else { return nil }
        while let connection = shelf.idle.popLast() {
            connection.isIdle = false
            if connection.stream.hasUnreadEvent || connection.stream.socket.isHungUp {
                connection.close()
                continue
            }
            reusedCount += 1
            return connection
        }
        return nil
    }

    /// A connection: a fresh one, or, where the target has as many as it may have, one that is
    /// given back. A place, name, TCP and TLS within the target's time, or `patience` where that is
    /// shorter.
    ///
    /// - Parameter abandonment: of whoever waits.
    func connect(
        _ target: UpstreamTarget, within patience: Duration? = nil,
        abandonment: Abandonment? = nil
    ) async throws(ExchangeFailure) -> UpstreamConnection {
        let limit = target.connectTimeout
        let deadline = Instant.now() + min(limit, patience ?? limit)
        let shelf = shelf(target)
        if let used = try await shelf.takePlace(
            atMost: target.maximumConnections, core: core, deadline: deadline, abandonment)
        {
            reusedCount += 1
            return used
        }
        if connectionCount > maximumConnections { _ = makeRoom() }
        while true {
            do throws(StreamError) {
                let stream = try await open(target, deadline, abandonment)
                openedCount += 1
                let connection = UpstreamConnection(stream, target: target, shelf: shelf)
                guard leadsHere(stream.socket, target) else { return connection }
                connection.close()
                break
            } catch {
                if error.isWantOfSockets, makeRoom() { continue }
                shelf.leave()
                throw error == .timedOut ? ExchangeFailure(.connectTimeout) : .upstream(error)
            }
        }
        throw ExchangeFailure(.routeLoop)
    }

    /// Whether a connection has come to a listener of ours, whatever its name was.
    private func leadsHere(_ socket: Socket, _ target: UpstreamTarget) -> Bool {
        if let path = target.socketPath { return ownAddresses.contains { $0.path == path } }
        let same = ownAddresses.filter { $0.path == nil && $0.port == target.port }
        guard !same.isEmpty, let ends = socket.ends else { return false }
        // A listener everywhere has every address of this machine: those from which one comes to
        // them, and 127.0.0.0/8.
        let isOnThisMachine = ends.local.ip == ends.peer.ip || ends.peer.isLoopback
        return same.contains { $0.isEverywhere ? isOnThisMachine : $0.ip == ends.peer.ip }
    }

    /// Gives up those that have been idle for longest, an eighth at once.
    /// - Returns: false where none is idle.
    private func makeRoom() -> Bool {
        // Where none is idle it is not asked again and again.
        guard core.now >= nextLook else { return false }
        let idle = shelves.values.flatMap(\.idle).sorted { $0.idleNumber < $1.idleNumber }
        if idle.isEmpty { nextLook = core.now + .milliseconds(10) }
        for connection in idle.prefix((idle.count + 7) / 8) { UpstreamPool.discard(connection) }
        return !idle.isEmpty
    }

    private func open(
        _ target: UpstreamTarget, _ deadline: Instant, _ abandonment: Abandonment?
    ) async throws(StreamError) -> ByteStream {
        let addresses: [Address]
        if let path = target.socketPath {
            guard let address = Address(path: path) else { throw .unresolved(path) }
            addresses = [address]
        } else {
            addresses = try await resolver.addresses(
                of: target.host, port: target.port, core: core, deadline: deadline,
                abandonment: abandonment)
        }
        let socket = try await Connector.connect(
            to: addresses, core: core, deadline: deadline, addressDelay: limits.addressDelay,
            abandonment: abandonment)
        guard let tls = target.tls else { return ByteStream(socket) }
        abandonment?.onAbandon = { socket.abort() }
        defer { abandonment?.onAbandon = nil }
        socket.readDeadline = deadline
        socket.writeDeadline = deadline
        do throws(StreamError) {
            let stream = try await ByteStream.connect(socket, tls, host: target.host)
            socket.readDeadline = .never
            socket.writeDeadline = .never
            return stream
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
            shelf.idle.count < limits.idleUpstreams
        else { return connection.close() }
        connection.releaseInbound()
        connection.isReused = true
        connection.stream.socket.readDeadline = .never
        connection.stream.socket.writeDeadline = .never
        if shelf.pass(connection) { return }
        connection.isIdle = true
        if connection.idleTimer.onExpiry == nil {
            // Until it is closed they keep each other.
            connection.idleTimer.onExpiry = {
                if connection.isIdle { UpstreamPool.discard(connection) }
            }
        }
        idleNumber += 1
        connection.idleNumber = idleNumber
        core.set(connection.idleTimer, to: core.now + limits.idleUpstreamTime)
        shelf.idle.append(connection)
    }

    /// Takes an idle connection out and closes it.
    static func discard(_ connection: UpstreamConnection) {
        let shelf = connection.shelf
        connection.isIdle = false
        if let index = shelf.idle.firstIndex(where: { $0 === connection }) {
            shelf.idle.remove(at: index)
        }
        connection.close()
    }

    /// Lets go of a target that is no more, or has changed: its idle connections are closed now,
    /// those in use when they come back.
    public func forget(_ target: UpstreamTarget) {
        if let shelf = shelves.removeValue(forKey: ObjectIdentifier(target)) { close(shelf) }
    }

    /// Closes all idle connections (drain, reload).
    public func closeIdle() {
        let all = shelves.values
        shelves = [:]
        for shelf in all { close(shelf) }
    }

    private func close(_ shelf: Shelf) {
        shelf.isClosed = true
        let idle = shelf.idle
        shelf.idle = []
        for connection in idle {
            connection.isIdle = false
            connection.close()
        }
    }

    /// Takes a shelf out that has no connection any more.
    func remove(_ shelf: Shelf, _ key: ObjectIdentifier) {
        if shelves[key] === shelf { shelves[key] = nil }
    }
}
