import GatehouseConfiguration
import GatehouseNet
import GatehouseProxy

/// The listeners that one loop serves, with their connections.
final class ListenerSet {
    private struct Entry {
        let settings: ListenerSettings
        let acceptor: ConnectionAcceptor
        var isAccepting = false
    }

    /// By listener; nil where another loop serves it.
    private var entries: [Entry?] = []
    /// Taken away by a reload, until what they have begun is over.
    private var leaving: [Entry] = []

    /// Takes up the listeners of a configuration. Connections keep what they began with; those of
    /// a listener that is taken away or has other settings now end after their exchange.
    ///
    /// - Parameters:
    ///   - file: the descriptor for this loop of one that is new; nil where another serves it.
    ///   - responder: for the listener at a place.
    ///   - options: for the listener at a place.
    func take(
        _ listeners: [PlacedListener], core: LoopCore, file: (BoundListener) -> Int32?,
        responder: (Int) -> any Responder, options: (Int) -> ConnectionAcceptor.Options
    ) {
        var rest = entries
        entries = listeners.enumerated().map { place, placed in
            let settings = placed.listener.settings
            guard let previous = placed.previous else {
                return file(placed.listener).map { file in
                    let acceptor = ConnectionAcceptor(
                        Listener(Descriptor(file), core: core), responder: responder(place),
                        options: options(place))
                    return Entry(settings: settings, acceptor: acceptor)
                }
            }
            guard let kept = rest[previous] else { return nil }
            rest[previous] = nil
            kept.acceptor.options = options(place)
            kept.acceptor.responder = responder(place)
            if settings != kept.settings { kept.acceptor.endAfterExchanges() }
            return Entry(
                settings: settings, acceptor: kept.acceptor, isAccepting: kept.isAccepting)
        }
        leaving.removeAll { $0.acceptor.connectionCount == 0 }
        for case let gone? in rest {
            gone.acceptor.drain()
            leaving.append(gone)
        }
    }

    /// Lets those accept that do not yet.
    func accept(on loop: isolated EventLoop) {
        for place in entries.indices {
            guard let entry = entries[place], !entry.isAccepting else { continue }
            entries[place]?.isAccepting = true
            loop.core.fork { await entry.acceptor.run(on: loop) }
        }
    }

    /// Those of some roles, with the ones that are leaving.
    func acceptors(
        _ isWanted: (ListenerSettings.Role) -> Bool = { _ in true }
    ) -> [ConnectionAcceptor] {
        (entries.compactMap(\.self) + leaving).filter { isWanted($0.settings.role) }
            .map(\.acceptor)
    }

    /// How many there are, by role; none for a role that this loop does not serve.
    var connections: [ListenerSettings.Role: Int] {
        (entries.compactMap(\.self) + leaving).reduce(into: [:]) { counts, entry in
            counts[entry.settings.role, default: 0] += entry.acceptor.connectionCount
        }
    }
}
