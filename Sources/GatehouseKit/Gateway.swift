public import GatehouseBase
public import GatehouseConfiguration
import GatehouseGate
import GatehouseNet
import GatehouseProxy
import Synchronization

/// The gateway: listeners, loops, routes, gate. Start it, reload it, stop it.
public final class Gateway: Sendable {
    private struct State {
        var blueprint: Blueprint
        var marks: [[Int]]
        var isStopping = false
    }

    /// Where an access line goes; whole lines.
    public typealias AccessSink = @Sendable ([UInt8]) -> Void

    private let loops: LoopGroup
    private let gate: Gate
    private let resolver: Resolver
    private let log: Log
    private let accessSink: AccessSink
    private let state: Locked<State>

    /// Reads keys, certificates and secrets; binds nothing yet.
    ///
    /// - Parameters:
    ///   - log: events.
    ///   - accessSink: nil for standard output.
    public init(
        _ configuration: Configuration, log: Log, accessSink: AccessSink? = nil
    ) throws(GatewayError) {
        let blueprint = try Gateway.blueprint(configuration, previous: nil)
        let loops = LoopGroup(serving: Gateway.loopCount(configuration))
        let resolver = Resolver(configuration.limits)
        let keys = try StateDirectory.keys(for: configuration)
        self.loops = loops
        self.resolver = resolver
        self.log = log
        self.accessSink = accessSink ?? { StandardStream.write($0, to: 1) }
        gate = Gate(
            options: blueprint.gateOptions, keys: keys,
            store: SessionStore(indexKey: keys.index), records: MemoryRecords(),
            provider: Gateway.provider(blueprint, loops, resolver),
            log: log.labelled("gatehouse.gate"),
            onEnd: { session, cause in
                await loops.broadcast { loop in
                    (loop.attachment as? LoopState)?.live.end(session, cause)
                }
            })
        state = Locked(State(blueprint: blueprint, marks: Gateway.marks(configuration)))
    }

    /// Reads every file that a configuration names and compares certificates with keys, without
    /// binding anything or making keys.
    public static func check(_ configuration: Configuration) throws(GatewayError) {
        _ = try blueprint(configuration, previous: nil)
    }

    private static func blueprint(
        _ configuration: Configuration, previous: Blueprint?
    ) throws(GatewayError) -> Blueprint {
        do throws(TLSConfigurationError) {
            return try Blueprint(configuration, previous: previous)
        } catch {
            throw GatewayError("\(error.file): \(error.reason)")
        }
    }

    private static func provider(
        _ blueprint: Blueprint, _ loops: LoopGroup, _ resolver: Resolver
    ) -> ProviderClient? {
        guard let options = blueprint.providerOptions, let tls = blueprint.providerTLS else {
            return nil
        }
        return ProviderClient(
            options: options,
            channel: UpstreamBackChannel(
                loop: loops.control, resolver: resolver, limits: options.limits, tls: tls))
    }

    private static func loopCount(_ configuration: Configuration) -> Int {
        switch configuration.loops {
        case .auto: min(8, ProcessLimits.availableCores)
        case .count(let count): count
        }
    }

    // MARK: Starting

    /// Binds the listeners and serves.
    /// - Returns: for each listener its URL, `https://127.0.0.1:43121`.
    public func start() async throws(GatewayError) -> [String] {
        let blueprint = state.withLock { $0.blueprint }
        let count = loops.serving.count
        var bound: [(files: [Int32], url: String)] = []
        for listener in blueprint.configuration.listeners {
            let (files, shown) = try await bind(listener, count)
            let scheme = listener.tls == nil ? "http" : "https"
            bound.append((files, "\(scheme)://\(shown)"))
        }
        let snapshot = gate.snapshot
        for (index, loop) in loops.serving.enumerated() {
            let files = bound.map { $0.files[index] }
            await prepare(loop, blueprint, snapshot, files)
        }
        watch()
        for listener in bound { log.notice("listening on \(listener.url)") }
        log.notice("sessions are kept in memory: they end with this process")
        return bound.map(\.url)
    }

    private func bind(
        _ listener: ListenerSettings, _ count: Int
    ) async throws(GatewayError) -> (files: [Int32], shown: String) {
        do throws(ListenError) {
            switch listener.address {
            case .unix(let path):
                return (try Binding.unix(path, count: count).files, "unix:\(path)")
            case .tcp(let host, let port):
                let address = try await resolve(host, port)
                let (files, bound) = try Binding.tcp(address, count: count)
                return (files, bound.description)
            }
        } catch {
            throw GatewayError(
                "cannot listen on \(error.address): \(error.reason)",
                hint: "end what listens there, or change 'listeners'")
        }
    }

    private func resolve(_ host: String, _ port: UInt16) async throws(ListenError) -> Address {
        let resolver = resolver
        let result: Result<Address, StreamError> = await loops.control.run { loop in
            do throws(StreamError) {
                let addresses = try await resolver.addresses(
                    of: host, port: port, core: loop.core)
                guard let first = addresses.first else { throw StreamError.unresolved(host) }
                return .success(first)
            } catch { return .failure(error) }
        }
        switch result {
        case .success(let address): return address
        case .failure(let error): throw ListenError(address: "\(host):\(port)", reason: "\(error)")
        }
    }

    /// Gives a loop its part and lets it accept.
    private func prepare(
        _ loop: EventLoop, _ blueprint: Blueprint, _ snapshot: GateSnapshot, _ files: [Int32]
    ) async {
        let gate = gate
        let resolver = resolver
        let sink = accessSink
        let log = log.labelled("gatehouse.proxy")
        let settings = blueprint.configuration.log
        let share = ProcessLimits.maximumConnections(blueprint.configuration.limits)
        let perLoop = max(16, share / loops.serving.count)
        await loop.run { loop in
            let state = LoopState(
                core: loop.core, blueprint: blueprint, gate: snapshot, resolver: resolver,
                accessLog: settings.access ? AccessLog(format: settings.format, sink: sink) : nil,
                log: log)
            loop.attach(state)
            let pipeline = RequestPipeline(state, gate: gate)
            for (index, file) in files.enumerated() {
                let acceptor = ConnectionAcceptor(
                    Listener(Descriptor(file), core: loop.core), responder: pipeline,
                    options: ConnectionAcceptor.Options(
                        tls: blueprint.tls[index], publicPort: blueprint.publicPorts[index],
                        limits: blueprint.configuration.limits, maximumConnections: perLoop))
                state.acceptors.append(acceptor)
            }
            for acceptor in state.acceptors {
                _ = Task.immediate(executorPreference: loop.thread) {
                    _ = loop
                    await acceptor.run(on: loop)
                }
            }
        }
    }

    /// What the control loop does once a second: limits of sessions, and certificate files.
    private func watch() {
        loops.control.start { [weak self] loop in
            var nextLook = Instant.now() + .seconds(1)
            while let self, !self.state.withLock({ $0.isStopping }) {
                await self.gate.endExpired()
                let every = self.state.withLock {
                    $0.blueprint.configuration.limits.certificateCheck
                }
                if Instant.now() >= nextLook {
                    nextLook = .now() + every
                    await self.takeUpCertificates()
                }
                await EventLoop.sleep(.milliseconds(500), on: loop.core)
            }
        }
    }

    // MARK: Changing

    /// Takes up another configuration under the running connections and sessions.
    /// - Returns: the settings that only a restart can change; they stay as they were.
    public func reload(_ configuration: Configuration) async throws(GatewayError) -> [String] {
        let running = state.withLock { $0.blueprint }
        let needRestart = configuration.settingsThatNeedRestart(from: running.configuration)
        var taken = configuration
        taken.stateDirectory = running.configuration.stateDirectory
        taken.loops = running.configuration.loops
        if needRestart.contains("listeners") { taken.listeners = running.configuration.listeners }
        let blueprint = try Gateway.blueprint(taken, previous: running)
        state.withLock {
            $0.blueprint = blueprint
            $0.marks = Gateway.marks(taken)
        }
        gate.replace(
            blueprint.gateOptions, provider: Gateway.provider(blueprint, loops, resolver))
        let snapshot = gate.snapshot
        await loops.broadcast { loop in
            guard let state = loop.attachment as? LoopState else { return }
            state.take(blueprint, snapshot)
        }
        log.notice("configuration reloaded")
        return needRestart
    }

    /// Reads certificates again where a file has changed; what does not fit leaves the old in use.
    private func takeUpCertificates() async {
        let (blueprint, marks) = state.withLock { ($0.blueprint, $0.marks) }
        let now = Gateway.marks(blueprint.configuration)
        guard now != marks else { return }
        state.withLock { $0.marks = now }
        do throws(TLSConfigurationError) {
            let tls = try Blueprint.serverTLS(blueprint.configuration)
            await loops.broadcast { loop in
                guard let state = loop.attachment as? LoopState else { return }
                for (acceptor, context) in zip(state.acceptors, tls) {
                    acceptor.options.tls = context
                }
            }
            log.notice("certificates reloaded")
        } catch {
            log.warning(
                "changed certificates cannot be used, the old ones stay",
                ("file", error.file), ("error", error.reason))
        }
    }

    private static func marks(_ configuration: Configuration) -> [[Int]] {
        configuration.listeners.flatMap { listener in
            (listener.tls?.certificates ?? []).flatMap {
                [SecretFile.mark($0.certificate), SecretFile.mark($0.key)]
            }
        }
    }

    // MARK: Stopping

    /// Ends in order: listeners; idle connections; requests in flight within `limits.drain`;
    /// WebSockets with 1001 when no request is left; then the rest.
    public func stop() async {
        let limits = state.withLock { state in
            state.isStopping = true
            return state.blueprint.configuration.limits
        }
        log.notice("stopping")
        let deadline = Instant.now() + limits.drain
        await loops.broadcast { loop in
            guard let state = loop.attachment as? LoopState else { return }
            for acceptor in state.acceptors { acceptor.drain() }
            for acceptor in state.acceptors {
                await acceptor.waitUntilQuiet(deadline: deadline, core: loop.core)
            }
            for acceptor in state.acceptors { acceptor.endAll() }
            for acceptor in state.acceptors {
                await acceptor.waitUntilEmpty(
                    deadline: .now() + limits.closeFlush + .milliseconds(500), core: loop.core)
            }
            state.pool.closeIdle()
            state.accessLog?.flush()
        }
        log.notice("stopped")
        loops.stop()
    }
}
