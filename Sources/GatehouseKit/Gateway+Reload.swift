import GatehouseBase
public import GatehouseConfiguration
import GatehouseGate
import GatehouseNet
import Synchronization

/// Another configuration, or other certificates, under running connections and sessions.
extension Gateway {
    /// Takes up another configuration whole.
    /// - Throws: where it cannot be used, where an address cannot be had, or where something has
    ///   changed that only a restart takes up; everything is then as it was.
    public func reload(_ configuration: Configuration) async throws(GatewayError) {
        let fixed = configuration.settingsThatNeedRestart(from: blueprint.configuration)
        guard fixed.isEmpty else {
            throw GatewayError(
                "only a restart takes up what has changed: "
                    + fixed.map { "'\($0)'" }.joined(separator: ", "),
                hint: "restart, or take that back")
        }
        try await takeUp(configuration)
        log.notice("configuration reloaded")
    }

    /// Looks at the certificate files now, not at the next turn.
    public func reloadCertificates() async {
        state.withLock { $0.marks = [] }
        await takeUpCertificates()
    }

    /// Takes up certificates, keys and authorities again where a file has changed; where one
    /// cannot be used the old ones stay, all of them.
    func takeUpCertificates() async {
        let (configuration, marks) = state.withLock { ($0.blueprint.configuration, $0.marks) }
        let now = Gateway.marks(configuration)
        guard now != marks else { return }
        state.withLock { $0.marks = now }
        do throws(GatewayError) {
            try await takeUp(configuration)
            log.notice("certificates reloaded")
        } catch {
            log.warning(
                "changed certificates cannot be used, the old ones stay", ("error", error.message))
        }
    }

    /// Waits until nobody else changes the gateway, and keeps others out until ``endChange()``.
    /// - Returns: false where it is stopping.
    func beginChange() async -> Bool {
        await loops.control.run { loop in
            while true {
                let isMine: Bool? = self.state.withLock { state in
                    if state.isStopping { return false }
                    if state.isChanging { return nil }
                    state.isChanging = true
                    return true
                }
                if let isMine { return isMine }
                await EventLoop.sleep(.milliseconds(10), on: loop.core)
            }
        }
    }

    private func endChange() { state.withLock { $0.isChanging = false } }

    private func takeUp(_ configuration: Configuration) async throws(GatewayError) {
        guard await beginChange() else { throw GatewayError("the gateway is stopping") }
        defer { endChange() }
        let marks = Gateway.marks(configuration)
        let (running, before) = state.withLock { ($0.blueprint, $0.bound) }
        let blueprint = try Gateway.blueprint(configuration, previous: running)
        let listeners = try await place(configuration.listeners, beside: before)
        let bound = listeners.map(\.listener)
        state.withLock {
            $0.blueprint = blueprint
            $0.marks = marks
            $0.bound = bound
        }
        let gate = gate
        resolver.take(configuration.limits)
        await gate.replace(
            blueprint.gateOptions,
            provider: Gateway.provider(blueprint, loops, resolver, previous: gate.provider))
        let snapshot = gate.snapshot
        await loops.broadcast { loop in
            guard let state = loop.attachment as? LoopState else { return }
            state.take(blueprint, snapshot)
            state.take(listeners, RequestPipeline(state, gate: gate))
            state.listeners.accept(on: loop)
        }
        await loops.control.run { loop in
            guard let state = loop.attachment as? ControlState else { return }
            state.blueprint = blueprint
            self.take(listeners, state, on: loop)
            await state.routes.renew { blueprint.remade($0) }
        }
        let kept = Set(listeners.compactMap(\.previous))
        for (place, listener) in before.enumerated() where !kept.contains(place) {
            listener.file?.remove()
            log.notice("no longer listening on \(listener.url)")
        }
        for listener in listeners where listener.previous == nil {
            log.notice("listening on \(listener.listener.url)")
        }
        for diagnostic in NamedFiles.warnings(about: configuration) { log.warning(diagnostic.line) }
    }

    /// What tells whether one of the files has changed.
    static func marks(_ configuration: Configuration) -> [[Int]] {
        configuration.namedFiles.map { SecretFile.mark($0.file) }
    }
}
