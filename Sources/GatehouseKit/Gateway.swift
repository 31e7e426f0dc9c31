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
        /// UNIX sockets that are ours to remove.
        var socketFiles: [UnixSocketFile] = []
    }

    /// Where an access line goes; whole lines.
    public typealias AccessSink = @Sendable ([UInt8]) -> Void

    let loops: LoopGroup
    let gate: Gate
    let resolver: Resolver
    let log: Log
    let accessSink: AccessSink
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
        self.accessSink = accessSink ?? { StandardLines.output.write($0) }
        gate = Gate(
            options: blueprint.gateOptions, keys: keys,
            store: SessionStore(indexKey: keys.index), records: MemoryRecords(),
            provider: Gateway.provider(blueprint, loops, resolver),
            hub: UpstreamHubAPI(loop: loops.control, resolver: resolver),
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

    /// What looks wrong with the files that a configuration names, though they can be used.
    public static func warnings(about configuration: Configuration) -> [Diagnostic] {
        NamedFiles.warnings(about: configuration)
    }

    private static func blueprint(
        _ configuration: Configuration, previous: Blueprint?
    ) throws(GatewayError) -> Blueprint {
        do throws(TLSConfigurationError) {
            return try Blueprint(configuration, previous: previous)
        } catch {
            throw GatewayError(NamedFiles.diagnostic(of: error, in: configuration))
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

    /// As the configuration now is.
    var blueprint: Blueprint { state.withLock { $0.blueprint } }

    /// Binds the listeners and serves.
    ///
    /// - Parameter bound: called when the addresses are ours, before anything is answered.
    /// - Returns: for each listener its URL, `https://127.0.0.1:43121`.
    public func start(
        bound isBound: () -> Void = {}
    ) async throws(GatewayError) -> [String] {
        let blueprint = blueprint
        var bound: [BoundListener] = []
        let stored: StoredRoutes?
        do throws(GatewayError) {
            for listener in blueprint.configuration.listeners {
                bound.append(try await bind(listener))
            }
            isBound()
            stored = try openStore(blueprint.configuration)
        } catch {
            for listener in bound { listener.close() }
            throw error
        }
        let socketFiles = bound.compactMap(\.file)
        state.withLock { $0.socketFiles = socketFiles }
        let snapshot = gate.snapshot
        for (index, loop) in loops.serving.enumerated() {
            await prepare(loop, blueprint, snapshot, bound.map { $0.file(ofLoop: index) })
        }
        await startControl(blueprint, bound, stored)
        for loop in loops.serving { await open(loop) }
        watch()
        announce(bound, blueprint.configuration)
        return bound.map(\.url)
    }

    /// Lets a loop accept.
    private func open(_ loop: EventLoop) async {
        await loop.run { loop in
            guard let state = loop.attachment as? LoopState else { return }
            for case let acceptor? in state.acceptors {
                loop.core.fork { await acceptor.run(on: loop) }
            }
        }
    }

    /// Gives a loop its part.
    private func prepare(
        _ loop: EventLoop, _ blueprint: Blueprint, _ snapshot: GateSnapshot, _ files: [Int32?]
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
            state.isTableComplete = !blueprint.hasRoutesAPI
            loop.attach(state)
            let pipeline = RequestPipeline(state, gate: gate)
            for (index, file) in files.enumerated() {
                guard let file else {
                    state.acceptors.append(nil)
                    continue
                }
                let redirect = blueprint.redirects[index]
                let acceptor = ConnectionAcceptor(
                    Listener(Descriptor(file), core: loop.core),
                    responder: redirect.map { RedirectResponder($0, pipeline) } ?? pipeline,
                    options: ConnectionAcceptor.Options(
                        tls: blueprint.tls[index], settings: blueprint.connectionSettings[index],
                        maximumConnections: perLoop,
                        onFull: { count in
                            log.warning(
                                "no room for more connections: idle ones are closed, new ones wait",
                                ("connections", "\(count)"), ("loop", loop.thread.name))
                        }))
                state.acceptors.append(acceptor)
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
        taken.routesAPI.hostRouting = running.configuration.routesAPI.hostRouting
        if needRestart.contains("listeners") { taken.listeners = running.configuration.listeners }
        let blueprint = try Gateway.blueprint(taken, previous: running)
        state.withLock {
            $0.blueprint = blueprint
            $0.marks = Gateway.marks(taken)
        }
        await gate.replace(
            blueprint.gateOptions, provider: Gateway.provider(blueprint, loops, resolver))
        let snapshot = gate.snapshot
        await loops.broadcast { loop in
            guard let state = loop.attachment as? LoopState else { return }
            state.take(blueprint, snapshot)
        }
        await loops.control.run { loop in
            guard let state = loop.attachment as? ControlState else { return }
            state.take(blueprint)
            await state.routes.remake { blueprint.remade($0) }
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
                    acceptor?.options.tls = context
                }
            }
            await loops.control.run { loop in
                guard let state = loop.attachment as? ControlState else { return }
                for (acceptor, context) in zip(state.acceptors, tls) {
                    acceptor?.options.tls = context
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
        configuration.listeners.compactMap(\.tls).flatMap { tls in
            let pairs = tls.certificates.flatMap { [$0.certificate, $0.key] }
            return (pairs + [tls.clientCA, tls.dhparamFile].compactMap { $0 }).map {
                SecretFile.mark($0)
            }
        }
    }

    /// Removes the files of our UNIX sockets.
    public func removeSocketFiles() {
        for file in state.withLock({ $0.socketFiles }) { file.remove() }
    }

    /// Looks at the certificate files now, not at the next turn.
    public func reloadCertificates() async {
        state.withLock { $0.marks = [] }
        await takeUpCertificates()
    }

    // MARK: Stopping

    /// Ends as the settings say: at once, or in order: listeners; idle connections; requests in
    /// flight within `limits.drain`; WebSockets with 1001 when no request is left; then the rest.
    public func stop() async {
        let configuration = state.withLock { state in
            state.isStopping = true
            return state.blueprint.configuration
        }
        let limits = configuration.limits
        let drains = configuration.stop.drains
        log.notice("stopping")
        await loops.control.run { loop in
            (loop.attachment as? ControlState)?.drain()
        }
        let deadline = Instant.now() + (drains ? limits.drain : .zero)
        // Not at the end: the next process waits for it.
        let patience = Instant.now() + (drains ? .seconds(2) : .milliseconds(100))
        loops.control.start { loop in
            guard let state = loop.attachment as? ControlState else { return }
            await state.giveUpStore(deadline: patience, core: loop.core)
        }
        let closing = drains ? limits.closeFlush + .milliseconds(500) : .milliseconds(100)
        await loops.broadcast { loop in
            guard let state = loop.attachment as? LoopState else { return }
            let acceptors = state.acceptors.compactMap { $0 }
            for acceptor in acceptors { acceptor.drain() }
            for acceptor in acceptors {
                await acceptor.waitUntilQuiet(deadline: deadline, core: loop.core)
            }
            for acceptor in acceptors { acceptor.endAll() }
            let closed = Instant.now() + closing
            for acceptor in acceptors {
                await acceptor.waitUntilEmpty(deadline: closed, core: loop.core)
            }
            state.pool.closeIdle()
            state.accessLog?.flush()
        }
        await loops.control.run { loop in
            guard let state = loop.attachment as? ControlState else { return }
            await state.giveUpStore(deadline: patience, core: loop.core)
            for acceptor in state.acceptors { acceptor?.drain() }
        }
        log.notice("stopped")
        loops.stop()
    }
}
