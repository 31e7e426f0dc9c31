import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import GatehouseProxy
import GatehouseStore

/// Addresses, and what the control loop serves.
extension Gateway {
    /// Of a listener on the control loop, so that it leaves descriptors to the public ones:
    /// JupyterHub has ten connections, a scraper one.
    private static func controlConnections(_ limits: Limits) -> Int {
        min(1024, max(32, ProcessLimits.maximumConnections(limits) / 8))
    }

    /// Takes the addresses of listeners: all of them, or none. One that serves already, at the same
    /// address, keeps its sockets.
    func place(
        _ listeners: [ListenerSettings], beside running: [BoundListener] = []
    ) async throws(GatewayError) -> [PlacedListener] {
        var placed: [PlacedListener] = []
        var rest = Dictionary(uniqueKeysWithValues: running.enumerated().map { ($0, $1) })
        do throws(GatewayError) {
            for listener in listeners {
                let same = rest.filter {
                    $0.value.settings.address == listener.address
                        && $0.value.isControl == listener.role.isControl
                }
                guard let place = same.keys.min(), var kept = rest.removeValue(forKey: place)
                else {
                    placed.append(PlacedListener(listener: try await bind(listener)))
                    continue
                }
                kept.settings = listener
                placed.append(PlacedListener(listener: kept, previous: place))
            }
        } catch {
            for fresh in placed where fresh.previous == nil { fresh.listener.close() }
            throw error
        }
        return placed
    }

    private func bind(_ listener: ListenerSettings) async throws(GatewayError) -> BoundListener {
        let count = listener.role == .public ? loops.serving.count : 1
        do throws(ListenError) {
            switch listener.address {
            case .unix(let path):
                let bound = try Binding.unix(path, count: count)
                return BoundListener(
                    settings: listener, files: bound.files, address: Address(path: path),
                    file: bound.file)
            case .tcp(let host, let port):
                let address = try await resolve(host, port)
                let (files, bound) = try Binding.tcp(address, count: count)
                return BoundListener(
                    settings: listener, files: files, address: bound)
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

    /// Says where everything is; with configurable-http-proxy's log in its words.
    func announce(_ bound: [BoundListener], _ configuration: Configuration) {
        guard configuration.log.format == .contract else {
            for listener in bound { log.notice("listening on \(listener.url)") }
            return log.notice("sessions are kept in memory: they end with this process")
        }
        let target = configuration.routesAPI.defaultTarget ?? "(no default)"
        for listener in bound {
            switch listener.settings.role {
            case .public:
                if let redirect = listener.settings.redirect {
                    let port = redirect.port.map { "\($0)" } ?? "443"
                    let from = listener.shown.split(separator: ":").last.map(String.init) ?? ""
                    log.info("Added HTTP to HTTPS redirection from \(from) to \(port)")
                } else {
                    log.info("Proxying \(listener.url) to \(target)")
                }
            case .api: log.info("Proxy API at \(listener.url)/api/routes")
            case .metrics: log.info("Serve metrics at \(listener.url)/metrics")
            }
        }
    }

    /// Opens the file of the routes, where there is a routes API and a state directory.
    func openStore(_ configuration: Configuration) throws(GatewayError) -> StoredRoutes? {
        guard configuration.hasRoutesAPI else { return nil }
        guard case .path(let directory) = configuration.stateDirectory else {
            // Where nobody has chosen it the command line has said so already.
            if configuration.origins["state_dir"] != nil {
                log.notice("routes end with this process: 'state_dir' is 'none'")
            }
            return nil
        }
        let file = StoredRoutes.file(in: directory, for: configuration)
        let stored = StoredRoutes(
            file, lifetime: configuration.routesAPI.storedRouteLifetime,
            log: log.labelled("gatehouse.store"))
        do throws(StoreError) {
            // The process before us may be on its way out.
            try stored.open(patience: .seconds(5))
        } catch {
            guard configuration.requiresState else {
                log.warning("routes end with this process: \(file): \(error)")
                stored.goOn()
                return stored
            }
            throw GatewayError(
                "\(file): \(error)",
                hint: "make 'state_dir' writable, end who has it open, or write 'state_dir: none'")
        }
        return stored
    }

    private func load(_ stored: StoredRoutes?) async -> [StoredRoutes.Found] {
        guard let stored else { return [] }
        do throws(StoreError) {
            return try await stored.load()
        } catch {
            log.error("the stored routes cannot be read: \(error)")
            stored.goOn()
            return []
        }
    }

    /// Lets the control loop serve the routes API.
    func startControl(
        _ blueprint: Blueprint, _ listeners: [PlacedListener], _ stored: StoredRoutes?
    ) async {
        let loops = loops
        let log = log.labelled("gatehouse.api")
        let settings = blueprint.configuration.routesAPI
        let found = await load(stored)
        await loops.control.run { loop in
            let routes = HubRoutes(core: loop.core, stored: stored) { one in
                try? blueprint.route(
                    at: one.address, object: one.object,
                    confirmed: Timestamp(milliseconds: one.confirmed)
                ).route
            } spread: { changes in
                await loops.broadcast { loop in
                    (loop.attachment as? LoopState)?.take(changes)
                }
            } complete: {
                await loops.broadcast { loop in
                    (loop.attachment as? LoopState)?.isTableComplete = true
                }
            }
            let state = ControlState(blueprint: blueprint, routes: routes, counters: Counters())
            loop.attach(state)
            await routes.restore(found)
            if !found.isEmpty { log.notice("routes from before the restart: \(found.count)") }
            if let target = settings.defaultTarget {
                let object = JSONValue.object(["target": .string(target)]).encoded()
                if let made = try? blueprint.route(at: RouteAddress("/"), object: object) {
                    let target = URLText.withoutUserInformation(target)
                    log.info("Adding route / -> \(target)")
                    await routes.addOwn(made.route)
                    log.info("Route added / -> \(target)")
                }
            }
            if blueprint.hasRoutesAPI { routes.awaitHub() }
            self.take(listeners, state, on: loop)
        }
    }

    /// Lets the control loop serve its listeners of the configuration that it has.
    func take(
        _ listeners: [PlacedListener], _ state: ControlState, on loop: isolated EventLoop
    ) {
        let blueprint = state.blueprint
        let core = loop.core
        let limits = blueprint.configuration.limits
        let log = log.labelled("gatehouse.api")
        state.listeners.take(listeners, core: core) {
            $0.isControl ? $0.files[0] : nil
        } responder: { place in
            let settings = listeners[place].listener.settings
            guard settings.role == .api else { return MetricsResponder(loops, state, core: core) }
            return RoutesAPI(
                state.routes, token: settings.token, log: log, counters: state.counters
            ) { state.blueprint }
        } options: { place in
            ConnectionAcceptor.Options(
                tls: blueprint.tls[place], settings: blueprint.connectionSettings[place],
                maximumConnections: Gateway.controlConnections(limits))
        }
        state.listeners.accept(on: loop)
    }
}
