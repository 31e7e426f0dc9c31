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

    /// The Hub reads the whole table at least this often, and a little.
    private static let longestSilence = Duration.seconds(330)
    /// Without a write after a listing: what the Hub misses it has told by then.
    private static let quietAfterListing = Duration.seconds(2)
    /// Without a write after the Hub's own route: it tells the others ten at a time.
    private static let quietAfterHub = Duration.seconds(10)

    private(set) var all = RouteSet()
    private var pending: [(RouteAddress, Pending)] = []
    private var isSpreading = false
    private let core: LoopCore
    private let spread: Spread
    private let complete: @Sendable () async -> Void
    /// nil where routes end with the process.
    let stored: StoredRoutes?
    private var isComplete = false
    /// Fires when the Hub has read the table and then been quiet.
    private let settled = LoopTimer()
    /// How long the Hub must be quiet now; nil while nothing is waited for.
    private var quiet: Duration?
    private var wasListed = false
    /// The end of what nobody has told us of: 330 s after the start.
    private let patience = LoopTimer()
    /// Routes from the disk that the Hub has not confirmed: until when they are good.
    private var unconfirmed: [RouteAddress: Int64] = [:]
    private let expiry = LoopTimer()

    /// - Parameters:
    ///   - complete: tells every loop that the table is complete.
    init(
        core: LoopCore, stored: StoredRoutes?, spread: @escaping Spread,
        complete: @escaping @Sendable () async -> Void
    ) {
        self.core = core
        self.stored = stored
        self.spread = spread
        self.complete = complete
        settled.onExpiry = { [weak self] in self?.settle() }
        patience.onExpiry = { [weak self] in self?.finish() }
        expiry.onExpiry = { [weak self] in self?.expire() }
    }

    // MARK: From the disk

    /// Takes up what was stored, before anything is served.
    func restore(_ found: [StoredRoutes.Found], make: (StoredRoutes.Found) -> Route?) async {
        var changes: [RouteChange] = []
        for one in found {
            guard let route = make(one) else { continue }
            _ = all.put(route)
            unconfirmed[one.address] = one.goodUntil
            changes.append(.set(route))
        }
        if !changes.isEmpty { await spread(changes) }
        armExpiry()
    }

    private func armExpiry() {
        guard let first = unconfirmed.values.min() else { return core.cancel(expiry) }
        let wait = Duration.milliseconds(max(0, first - Timestamp.now().milliseconds))
        // In steps: the wall clock may be set meanwhile.
        core.set(expiry, to: .now() + min(wait, .seconds(10)))
    }

    /// Removes what is good no longer: its address may be another server's by now.
    private func expire() {
        let now = Timestamp.now().milliseconds
        for (address, goodUntil) in unconfirmed where goodUntil <= now {
            core.fork { _ = await self.remove(address) }
        }
        armExpiry()
    }

    // MARK: The Hub's first words

    /// Waits until the Hub has told its routes: it has read the table and then been quiet for 2 s;
    /// or it has told its own route, as it does first of all after it has started us again, and
    /// then been quiet for 10 s; or 330 s have passed, its longest usual interval.
    func awaitHub() { core.set(patience, to: .now() + HubRoutes.longestSilence) }

    /// The Hub has read the whole table.
    func noteListing() {
        wasListed = true
        quiet = HubRoutes.quietAfterListing
        core.set(settled, to: .now() + HubRoutes.quietAfterListing)
    }

    /// The Hub has told its own route, and goes on with those of its users.
    func noteHub() {
        guard !isComplete, quiet == nil else { return }
        quiet = HubRoutes.quietAfterHub
        core.set(settled, to: .now() + HubRoutes.quietAfterHub)
    }

    /// What was read from the disk and is still there after a listing the Hub has confirmed.
    private func settle() {
        quiet = nil
        if wasListed {
            wasListed = false
            unconfirmed.removeAll()
            core.cancel(expiry)
            if let stored { core.fork { await stored.confirm() } }
        }
        finish()
    }

    private func finish() {
        guard !isComplete else { return }
        isComplete = true
        core.cancel(patience)
        core.fork { await self.complete() }
    }

    // MARK: Changes

    /// Adds or replaces a route.
    func add(_ route: Route) async { _ = await make(.add(route), at: RouteAddress(of: route)) }

    /// Removes a route; deeper ones stay.
    /// - Returns: whether there was one.
    func remove(_ address: RouteAddress) async -> Bool { await make(.remove, at: address) }

    /// Routes of one trip to the loops, where many are made anew.
    private static let trip = 1000

    /// Makes every route anew, under other settings; one that cannot be made stays as it was.
    func remake(_ make: (Route) -> Route?) async {
        let old = Array(all.all)
        for start in stride(from: 0, to: old.count, by: HubRoutes.trip) {
            var changes: [RouteChange] = []
            for route in old[start..<min(start + HubRoutes.trip, old.count)] {
                // The Hub may have changed it meanwhile: then it is new already.
                guard all[RouteAddress(of: route)] === route, let made = make(route) else {
                    continue
                }
                _ = all.put(made)
                changes.append(.set(made))
            }
            if !changes.isEmpty { await spread(changes) }
        }
    }

    private func make(_ change: Change, at address: RouteAddress) async -> Bool {
        let item = Pending(change: change, signal: Signal(), outcome: Outcome())
        pending.append((address, item))
        if let quiet { core.set(settled, to: .now() + quiet) }
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
                if !unconfirmed.isEmpty { unconfirmed[address] = nil }
                switch item.change {
                case .add(let route):
                    item.outcome.existed = all.put(route)
                    changes.append(.set(route))
                case .remove:
                    guard all.remove(address) else { continue }
                    item.outcome.existed = true
                    changes.append(.remove(address))
                }
            }
            if !changes.isEmpty {
                // The disk and the loops at once: an answer waits for both.
                let isSpread = Signal()
                core.fork {
                    await self.spread(changes)
                    isSpread.raise()
                }
                await stored?.write(changes)
                await isSpread.wait()
            }
            for (_, item) in batch { item.signal.raise() }
        }
        isSpreading = false
    }
}
