import GatehouseBase
import GatehouseNet
import Glibc
import Testing

@testable import GatehouseProxy

struct UpstreamPoolTests {
    /// Takes connections at a UNIX socket and says nothing. Lives on one loop with its clients.
    private final class SilentServer {
        let path: String
        private let listener: Listener
        private let file: UnixSocketFile
        private(set) var connections: [Socket] = []

        init(_ core: LoopCore) throws(ListenError) {
            path = "/tmp/gatehouse-pool.\(UInt64.random(in: .min ... .max)).sock"
            let bound = try Binding.unix(path, count: 1)
            listener = Listener(Descriptor(bound.files[0]), core: core)
            file = bound.file
            core.fork { [listener] in
                while let (socket, _) = await listener.accept() { self.connections.append(socket) }
            }
        }

        func closeConnections() {
            for socket in connections { socket.close() }
            connections = []
        }

        func stop() {
            file.remove()
            closeConnections()
            listener.close()
        }

        func target(
            connectTimeout: Duration = .seconds(5), maximumConnections: Int? = nil
        ) throws -> UpstreamTarget {
            try #require(
                UpstreamTarget(
                    socketPath: path, connectTimeout: connectTimeout,
                    maximumConnections: maximumConnections))
        }
    }

    private func run(
        _ limits: Limits = Limits(),
        _ body:
            @escaping @Sendable (isolated EventLoop, UpstreamPool, SilentServer) async throws ->
            Void
    ) async throws {
        let loop = EventLoop(name: "pool")
        defer { loop.thread.stop() }
        let result: Result<Void, any Error> = await loop.run { loop in
            do {
                let server = try SilentServer(loop.core)
                defer { server.stop() }
                let pool = UpstreamPool(
                    core: loop.core, resolver: Resolver(limits), limits: limits)
                try await body(loop, pool, server)
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
    }

    /// Gives a connection back as after an exchange: all has been read.
    private static func giveBack(
        _ connection: UpstreamConnection, to pool: UpstreamPool
    ) throws {
        var buffer = ByteBuffer()
        buffer.reserve(16)
        #expect(try connection.stream.tryRead(&buffer) == .wouldBlock)
        pool.giveBack(connection)
    }

    /// Waits until `condition` holds.
    private static func wait(
        on loop: isolated EventLoop, _ condition: () -> Bool
    ) async -> Bool {
        for _ in 0..<1000 {
            if condition() { return true }
            await EventLoop.sleep(.milliseconds(5), on: loop.core)
        }
        return condition()
    }

    @Test func `of ten thousand targets that come and go nothing is left`() async throws {
        var limits = Limits()
        // Longer than a busy machine takes for a hundred.
        limits.idleUpstreamTime = .seconds(2)
        try await run(limits) { loop, pool, server in
            for wave in 0..<100 {
                var targets: [UpstreamTarget] = []
                for _ in 0..<100 {
                    let target = try server.target()
                    try Self.giveBack(try await pool.connect(target), to: pool)
                    targets.append(target)
                }
                #expect(pool.targetCount >= 100)
                switch wave % 3 {
                case 0: for target in targets { pool.forget(target) }
                case 1:
                    // The server has had enough of them.
                    #expect(await Self.wait(on: loop) { server.connections.count >= 100 })
                    server.closeConnections()
                    #expect(await Self.wait(on: loop) { pool.idleCount == 0 })
                default:
                    // Nobody asks for them any more.
                    if wave % 10 == 0 {
                        #expect(await Self.wait(on: loop) { pool.idleCount == 0 })
                    } else {
                        for target in targets { pool.takeIdle(target)?.close() }
                    }
                }
                #expect(pool.targetCount == 0)
                server.closeConnections()
            }
            #expect(pool.idleCount == 0)
        }
    }

    @Test func `a target is known while a connection of it is in use`() async throws {
        try await run { _, pool, server in
            let target = try server.target()
            let first = try await pool.connect(target)
            let second = try await pool.connect(target)
            #expect(pool.targetCount == 1)
            try Self.giveBack(first, to: pool)
            #expect(pool.takeIdle(target) === first)
            first.close()
            first.close()
            #expect(pool.targetCount == 1)
            try Self.giveBack(second, to: pool)
            #expect(pool.takeIdle(target) === second)
            second.close()
            #expect(pool.targetCount == 0)
        }
    }

    @Test
    func `of a forgotten target the idle connections go now and the others when they are back`()
        async throws
    {
        try await run { _, pool, server in
            let (gone, kept) = (try server.target(), try server.target())
            let used = try await pool.connect(gone)
            let idle = try await pool.connect(gone)
            let other = try await pool.connect(kept)
            try Self.giveBack(idle, to: pool)
            try Self.giveBack(other, to: pool)
            pool.forget(gone)
            #expect(!idle.stream.socket.isOpen)
            #expect(used.stream.socket.isOpen)
            #expect(pool.takeIdle(gone) == nil)
            try Self.giveBack(used, to: pool)
            #expect(!used.stream.socket.isOpen)
            #expect(pool.takeIdle(kept) === other)
            other.close()
            #expect(pool.targetCount == 0)
        }
    }

    @Test func `a target that nobody serves leaves nothing either`() async throws {
        try await run { _, pool, _ in
            let target = try #require(
                UpstreamTarget(socketPath: "/tmp/gatehouse-none.sock", connectTimeout: .seconds(5)))
            await #expect(throws: ExchangeFailure(.connectRefused)) {
                _ = try await pool.connect(target)
            }
            #expect(pool.targetCount == 0)
        }
    }

    // MARK: As many as there may be

    @Test func `idle connections of all targets make room, the oldest first`() async throws {
        try await run { _, pool, server in
            pool.maximumConnections = 16
            let targets = try (0..<40).map { _ in try server.target() }
            for target in targets {
                try Self.giveBack(try await pool.connect(target), to: pool)
                #expect(pool.connectionCount <= 16)
            }
            #expect(pool.takeIdle(targets[0]) == nil)
            let last = try #require(pool.takeIdle(targets[39]))
            last.close()
            // What is in use is nobody's to give up.
            var held: [UpstreamConnection] = []
            for target in targets { held.append(try await pool.connect(target)) }
            #expect(pool.connectionCount == 40 && pool.idleCount == 0)
            #expect(held.allSatisfy { $0.stream.socket.isOpen })
            for connection in held { connection.close() }
            #expect(pool.connectionCount == 0)
        }
    }

    @Test func `whoever waits for a place may give up`() async throws {
        try await run { loop, pool, server in
            let target = try server.target(maximumConnections: 1)
            let only = try await pool.connect(target)
            let abandonment = Abandonment()
            let core = loop.core
            core.fork {
                await EventLoop.sleep(.milliseconds(20), on: core)
                abandonment.abandon()
            }
            await #expect(throws: ExchangeFailure(.upstreamBusy)) {
                _ = try await pool.connect(target, abandonment: abandonment)
            }
            only.close()
            #expect(pool.connectionCount == 0)
        }
    }

    // MARK: As many as a target may have

    @Test func `a full target is waited for as long as a connect may take`() async throws {
        try await run { _, pool, server in
            let target = try server.target(
                connectTimeout: .milliseconds(100), maximumConnections: 1)
            let only = try await pool.connect(target)
            await #expect(throws: ExchangeFailure(.upstreamBusy)) {
                _ = try await pool.connect(target)
            }
            let other = try await pool.connect(try server.target(maximumConnections: 1))
            other.close()
            only.close()
            try await pool.connect(target).close()
            #expect(pool.targetCount == 0)
        }
    }

    @Test(arguments: [true, false])
    func `who waits gets the connection that comes back, or its place`(comesBack: Bool) async throws
    {
        try await run { loop, pool, server in
            let target = try server.target(maximumConnections: 2)
            let held = [try await pool.connect(target), try await pool.connect(target)]
            let core = loop.core
            core.fork {
                await EventLoop.sleep(.milliseconds(50), on: core)
                for connection in held {
                    if comesBack {
                        try? Self.giveBack(connection, to: pool)
                    } else {
                        connection.close()
                    }
                }
            }
            let first = try await pool.connect(target)
            #expect((first === held[0]) == comesBack)
            #expect(first.isReused == comesBack)
            let second = try await pool.connect(target)
            // The other one lay idle: who connects gets its place and a fresh one.
            #expect(second !== held[1])
            #expect(!held[1].stream.socket.isOpen)
            first.close()
            second.close()
            #expect(pool.targetCount == 0)
        }
    }
}
