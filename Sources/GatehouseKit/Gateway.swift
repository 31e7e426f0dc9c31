public import GatehouseBase
public import GatehouseConfiguration
import GatehouseGate
import GatehouseNet
import GatehouseProxy
import Synchronization

/// The gateway: listeners, loops, routes, gate. Start it, reload it, stop it.
public final class Gateway: Sendable {
    struct State {
        var blueprint: Blueprint
        /// Of the certificate files that it was made with.
        var marks: [[Int]]
        /// Whether somebody takes up another configuration.
        var isChanging = false
        var isStopping = false
        /// By listener, once it has started.
        var bound: [BoundListener] = []
    }

    /// Where an access line goes; whole lines.
    public typealias AccessSink = @Sendable ([UInt8]) -> Void

    let loops: LoopGroup
    let gate: Gate
    let resolver: Resolver
    let log: Log
    let accessSink: AccessSink
    let state: Locked<State>

    /// Reads keys, certificates and secrets; binds nothing yet.
    ///
    /// - Parameters:
    ///   - log: events.
    ///   - accessSink: nil for standard output.
    public init(
        _ configuration: Configuration, log: Log, accessSink: AccessSink? = nil
    ) throws(GatewayError) {
        let blueprint = try Gateway.blueprint(configuration, previous: nil)
        try Gateway.checkDescriptors()
        let loops = LoopGroup(serving: Gateway.loopCount(configuration))
        let resolver = Resolver(
            configuration.limits,
            onLack: { reason in
                log.warning(
                    "there is no thread to look a name up", ("error", reason),
                    ("remedy", "raise the limit of processes and threads, or see who has so many"))
            })
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
        _ = try StateDirectory.keysThere(for: configuration)
    }

    /// What looks wrong with the files that a configuration names, though they can be used.
    public static func warnings(about configuration: Configuration) -> [Diagnostic] {
        NamedFiles.warnings(about: configuration)
    }

    static func blueprint(
        _ configuration: Configuration, previous: Blueprint?
    ) throws(GatewayError) -> Blueprint {
        do throws(TLSConfigurationError) {
            return try Blueprint(configuration, previous: previous)
        } catch {
            throw GatewayError(NamedFiles.diagnostic(of: error, in: configuration))
        }
    }

    static func provider(
        _ blueprint: Blueprint, _ loops: LoopGroup, _ resolver: Resolver,
        previous: ProviderClient? = nil
    ) -> ProviderClient? {
        guard let options = blueprint.providerOptions, let tls = blueprint.providerTLS else {
            return nil
        }
        return ProviderClient(
            options: options,
            channel: UpstreamBackChannel(
                loop: loops.control, resolver: resolver, limits: options.limits, tls: tls),
            previous: previous)
    }

    /// Below this hardly a connection would be accepted.
    private static let fewestDescriptors = 128

    private static func checkDescriptors() throws(GatewayError) {
        let allowed = ProcessLimits.descriptors
        guard allowed < fewestDescriptors else { return }
        throw GatewayError(
            "this process may open \(allowed) files and connections, and needs \(fewestDescriptors)",
            hint: "raise the limit: LimitNOFILE of systemd, ulimit -n of a shell; every connection "
                + "takes one or two")
    }

    /// How many loops serve.
    static func loopCount(_ configuration: Configuration) -> Int {
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
        let listeners = try await place(blueprint.configuration.listeners)
        let bound = listeners.map(\.listener)
        isBound()
        let stored: StoredRoutes?
        do throws(GatewayError) {
            stored = try openStore(blueprint.configuration)
        } catch {
            for listener in bound { listener.close() }
            throw error
        }
        state.withLock { $0.bound = bound }
        let snapshot = gate.snapshot
        for (index, loop) in loops.serving.enumerated() {
            await prepare(loop, index, blueprint, snapshot, listeners)
        }
        await startControl(blueprint, listeners, stored)
        await loops.broadcast { loop in
            (loop.attachment as? LoopState)?.listeners.accept(on: loop)
        }
        watch()
        announce(bound, blueprint.configuration)
        return bound.map(\.url)
    }

    /// Gives a loop its part.
    private func prepare(
        _ loop: EventLoop, _ index: Int, _ blueprint: Blueprint, _ snapshot: GateSnapshot,
        _ listeners: [PlacedListener]
    ) async {
        let gate = gate
        let resolver = resolver
        let sink = accessSink
        let log = log.labelled("gatehouse.proxy")
        await loop.run { loop in
            let state = LoopState(
                index: index, core: loop.core, blueprint: blueprint, gate: snapshot,
                resolver: resolver, accessSink: sink, log: log)
            state.isTableComplete = !blueprint.hasRoutesAPI
            loop.attach(state)
            state.take(listeners, RequestPipeline(state, gate: gate))
        }
    }

    /// What the control loop does twice a second: limits of sessions, and certificate files.
    private func watch() {
        loops.control.start { [weak self] loop in
            var nextLook = Instant.now() + .seconds(1)
            while let self, !self.state.withLock({ $0.isStopping }) {
                await self.gate.endExpired()
                if Instant.now() >= nextLook {
                    nextLook = .now() + self.blueprint.configuration.limits.certificateCheck
                    await self.takeUpCertificates()
                }
                await EventLoop.sleep(.milliseconds(500), on: loop.core)
            }
        }
    }

    // MARK: Stopping

    /// Removes the files of our UNIX sockets.
    public func removeSocketFiles() {
        for listener in state.withLock({ $0.bound }) { listener.file?.remove() }
    }

    /// Ends as the settings say: at once, or in order: listeners; idle connections; requests in
    /// flight within `limits.drain`; WebSockets with 1001 when no request is left; then the rest.
    public func stop() async {
        guard await beginChange() else { return }
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
            let acceptors = state.listeners.acceptors()
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
            for acceptor in state.listeners.acceptors() { acceptor.drain() }
        }
        log.notice("stopped")
        loops.stop()
    }
}
