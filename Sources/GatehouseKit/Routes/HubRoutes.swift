import GatehouseBase
import GatehouseConfiguration
import GatehouseNet

/// The routes that the routes API has made, on the control loop. A change is answered when every
/// loop routes by it; changes that come while others are on their way share the next trip.
final class HubRoutes {
    /// Tells every loop; returns when all have taken the changes up.
    typealias Spread = @Sendable ([RouteChange]) async -> Void

    private struct Pending {
        let change: Change
        let signal: Signal
        let outcome: Outcome
    }

    private enum Change {
        case add(Route)
        case remove
    }

    private final class Outcome {
        var existed = false
    }

    private var routes: [RouteAddress: Route] = [:]
    private var pending: [(RouteAddress, Pending)] = []
    private var isSpreading = false
    private let core: LoopCore
    private let spread: Spread
    private let complete: @Sendable () async -> Void
    /// Fires when the table is complete; nil from then on.
    private var completion: LoopTimer?
    private var wasListed = false

    /// - Parameters:
    ///   - complete: tells every loop that the table is complete.
    init(
        core: LoopCore, spread: @escaping Spread, complete: @escaping @Sendable () async -> Void
    ) {
        self.core = core
        self.spread = spread
        self.complete = complete
    }

    // MARK: The Hub's first words

    /// Waits until the Hub has told its routes: it has read the table and then been quiet for
    /// 2 s, or 330 s have passed, its longest usual interval.
    func awaitHub() {
        let timer = LoopTimer { [weak self] in self?.finish() }
        completion = timer
        core.set(timer, to: .now() + .seconds(330))
    }

    /// The Hub has read the whole table.
    func noteListing() {
        wasListed = true
        restartCompletion()
    }

    private func restartCompletion() {
        guard let completion, wasListed else { return }
        core.set(completion, to: .now() + .seconds(2))
    }

    private func finish() {
        guard completion != nil else { return }
        completion = nil
        core.fork { await self.complete() }
    }

    // MARK: Changes

    /// All of them, in no order.
    var all: [RouteAddress: Route] { routes }

    subscript(address: RouteAddress) -> Route? { routes[address] }

    /// Adds or replaces a route.
    func add(_ route: Route, at address: RouteAddress) async {
        _ = await make(.add(route), at: address)
    }

    /// Removes a route; deeper ones stay.
    /// - Returns: whether there was one.
    func remove(_ address: RouteAddress) async -> Bool { await make(.remove, at: address) }

    private func make(_ change: Change, at address: RouteAddress) async -> Bool {
        let item = Pending(change: change, signal: Signal(), outcome: Outcome())
        pending.append((address, item))
        restartCompletion()
        if !isSpreading {
            isSpreading = true
            core.fork { await self.spreadPending() }
        }
        await item.signal.wait()
        return item.outcome.existed
    }

    private func spreadPending() async {
        while !pending.isEmpty {
            let batch = pending
            pending.removeAll(keepingCapacity: true)
            var changes: [RouteChange] = []
            changes.reserveCapacity(batch.count)
            for (address, item) in batch {
                switch item.change {
                case .add(let route):
                    item.outcome.existed = routes.updateValue(route, forKey: address) != nil
                    changes.append(.set(address, route))
                case .remove:
                    guard routes.removeValue(forKey: address) != nil else { continue }
                    item.outcome.existed = true
                    changes.append(.remove(address))
                }
            }
            if !changes.isEmpty { await spread(changes) }
            for (_, item) in batch { item.signal.raise() }
        }
        isSpreading = false
    }
}
