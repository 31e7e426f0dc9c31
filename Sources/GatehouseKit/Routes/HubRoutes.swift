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
        /// Whatever is good no longer when its turn comes.
        case expire
    }

    private final class Outcome {
        var existed = false
    }

    /// A change waits for the disk no longer than this: longer than a slow disk takes, and shorter than
    /// the Hub waits for us (20 s).
    private static let storePatience = Duration.seconds(3)
    /// Between attempts to store what could not be stored.
    private static let storeInterval = Duration.seconds(10)
    private static let root = RouteAddress("/")

    private(set) var all = RouteSet()
    private var pending: [(RouteAddress, Pending)] = []
    private var isSpreading = false
    private let core: LoopCore
    private let spread: Spread
    private let completeness: TableCompleteness
    /// nil where routes end with the process.
    let stored: StoredRoutes?
    /// Routes from the disk that the Hub has not confirmed: until when they are good.
    private var unconfirmed: [RouteAddress: Int64] = [:]
    private let expiry = LoopTimer()
    /// Whether the route `/` is one from the disk that the Hub does not know.
    private var hasLeftOver = false
    /// The route of the command line, which is not stored.
    private var own: Route?
    /// When the Hub has confirmed the table; wall clock, milliseconds.
    private var confirmed: Int64?
    /// Whether the disk is yet to hear of that, or of what it has missed.
    private var isStoreDue = false
    /// Whether the disk has something to do; it is given one thing at a time.
    private var isStoring = false
    /// Removed before what an earlier process has left could be read.
    private var removedEarly: Set<RouteAddress> = []
    private let retry = LoopTimer()
    private var nextRetry = Instant.now()
    private let routeOfFound: (StoredRoutes.Found) -> Route?

    /// - Parameters:
    ///   - longestSilence: the Hub reads the whole table at least this often, and a little.
    ///   - routeOfFound: a route of what was found on the disk.
    ///   - spread: tells every loop the changes.
    ///   - complete: tells every loop that the table is complete.
    init(
        core: LoopCore, stored: StoredRoutes?, longestSilence: Duration = .seconds(330),
        routeOfFound: @escaping (StoredRoutes.Found) -> Route?,
        spread: @escaping Spread, complete: @escaping @Sendable () async -> Void
    ) {
        self.core = core
        completeness = TableCompleteness(core: core, longestSilence: longestSilence)
        self.routeOfFound = routeOfFound
        self.stored = stored
        self.spread = spread
        completeness.onConfirmed = { [weak self] in self?.confirm() }
        completeness.onComplete = { core.fork { await complete() } }
        expiry.onExpiry = { [weak self] in self?.expire() }
        retry.onExpiry = { [weak self] in self?.wakeStore() }
    }

    // MARK: From the disk

    /// Takes up what was stored.
    func restore(_ found: [StoredRoutes.Found]) async {
        var changes: [RouteChange] = []
        for one in found where all[one.address] == nil && !removedEarly.contains(one.address) {
            guard let route = routeOfFound(one) else { continue }
            _ = all.put(route)
            unconfirmed[one.address] = one.goodUntil
            if one.isOfCommandLine { hasLeftOver = true }
            changes.append(.set(route))
        }
        removedEarly = []
        if !changes.isEmpty { await spread(changes) }
        armExpiry()
        if stored?.isBehind == true { wakeStore() }
    }

    private func armExpiry() {
        guard let first = unconfirmed.values.min() else { return core.cancel(expiry) }
        let wait = Duration.milliseconds(max(0, first - Timestamp.now().milliseconds))
        // In steps: the wall clock may be set meanwhile.
        core.set(expiry, to: .now() + min(wait, .seconds(10)))
    }

    /// Removes what is good no longer: its address may be another server's by now. A route that the
    /// Hub is telling at this moment stays: what has ended is looked up when its turn comes.
    private func expire() {
        core.fork {
            _ = await self.queue(.expire, at: HubRoutes.root)
            self.armExpiry()
        }
    }

    // MARK: The Hub's first words

    /// Waits until the Hub has told its routes, as ``TableCompleteness`` says.
    func awaitHub() { completeness.awaitHub() }

    /// The Hub has read the whole table.
    func noteListing() {
        completeness.noteListing()
        if stored?.isBehind == true { wakeStore() }
    }

    /// The Hub has told its own route, and goes on with those of its users.
    func noteHub() { completeness.noteHub() }

    /// What was read from the disk and is still there after a listing the Hub has confirmed.
    private func confirm() {
        if hasLeftOver, unconfirmed[HubRoutes.root] != nil {
            core.fork { _ = await self.queue(.remove, at: HubRoutes.root) }
        }
        hasLeftOver = false
        removedEarly = []
        unconfirmed.removeAll()
        core.cancel(expiry)
        confirmed = Timestamp.now().milliseconds
        wakeStore()
    }

    // MARK: Changes

    /// Adds or replaces a route.
    func add(_ route: Route) async { _ = await submit(.add(route), at: RouteAddress(of: route)) }

    /// Adds the route of the command line. It ends with the process: the next one may have another.
    func addOwn(_ route: Route) async {
        own = route
        await add(route)
    }

    /// Removes a route; deeper ones stay.
    /// - Returns: whether there was one.
    func remove(_ address: RouteAddress) async -> Bool { await submit(.remove, at: address) }

    /// Routes of one trip to the loops, where many are made anew.
    private static let trip = 1000

    /// Makes every route anew, under other settings; one that cannot be made stays as it was.
    func renew(_ renewed: (Route) -> Route?) async {
        let old = Array(all.all)
        for start in stride(from: 0, to: old.count, by: HubRoutes.trip) {
            var changes: [RouteChange] = []
            for route in old[start..<min(start + HubRoutes.trip, old.count)] {
                // The Hub may have changed it meanwhile: then it is new already.
                guard all[RouteAddress(of: route)] === route, let made = renewed(route) else {
                    continue
                }
                if route === own { own = made }
                _ = all.put(made)
                changes.append(.set(made))
            }
            if !changes.isEmpty { await spread(changes) }
        }
    }

    private func submit(_ change: Change, at address: RouteAddress) async -> Bool {
        completeness.noteChange()
        return await queue(change, at: address)
    }

    private func queue(_ change: Change, at address: RouteAddress) async -> Bool {
        let item = Pending(change: change, signal: Signal(), outcome: Outcome())
        pending.append((address, item))
        startSpreading()
        await item.signal.wait()
        return item.outcome.existed
    }

    private func startSpreading() {
        guard !isSpreading else { return }
        isSpreading = true
        core.fork { await self.spreadPending() }
    }

    private func spreadPending() async {
        while !pending.isEmpty || isStoreDue {
            let batch = pending
            pending.removeAll(keepingCapacity: true)
            var changes: [RouteChange] = []
            changes.reserveCapacity(batch.count)
            for (address, item) in batch { apply(item, at: address, &changes) }
            // The disk and the loops at once: an answer waits for both.
            let isSpread = Signal()
            core.fork { [changes] in
                if !changes.isEmpty { await self.spread(changes) }
                isSpread.raise()
            }
            await storeInTime(changes)
            await isSpread.wait()
            for (_, item) in batch { item.signal.raise() }
        }
        isSpreading = false
    }

    private func apply(_ item: Pending, at address: RouteAddress, _ changes: inout [RouteChange]) {
        switch item.change {
        case .add(let route):
            unconfirmed[address] = nil
            item.outcome.existed = all.put(route)
            changes.append(.set(route))
        case .remove:
            unconfirmed[address] = nil
            if confirmed == nil, stored?.isLoaded == false { removedEarly.insert(address) }
            guard all.remove(address) else { return }
            item.outcome.existed = true
            changes.append(.remove(address))
        case .expire:
            let now = Timestamp.now().milliseconds
            for (address, goodUntil) in unconfirmed where goodUntil <= now {
                unconfirmed[address] = nil
                if all.remove(address) { changes.append(.remove(address)) }
            }
        }
    }

    // MARK: To the disk

    private func wakeStore() {
        isStoreDue = stored != nil
        startSpreading()
    }

    /// Has changes stored, or goes on without the disk where it takes too long. Nothing is queued up
    /// for one that hangs: what it misses it is brought up to when it works again.
    private func storeInTime(_ changes: [RouteChange]) async {
        guard let stored else { return }
        guard !isStoring else {
            if isStoreDue || !changes.isEmpty { stored.miss() }
            isStoreDue = false
            return
        }
        isStoring = true
        let isStored = await core.fork(waitingAtMost: HubRoutes.storePatience) {
            await self.store(changes)
            self.isStoring = false
        }
        if !isStored { stored.noteSilence() }
    }

    /// Brings the disk up to memory: by the changes, or by the whole table once it has missed some.
    private func store(_ changes: [RouteChange]) async {
        guard let stored else { return }
        let news = isStoreDue ? confirmed : nil
        isStoreDue = false
        if !stored.isBehind, !changes.isEmpty || news != nil {
            await stored.write(
                changes.map { change in
                    guard case .set(let route) = change, route === own else { return change }
                    return .remove(RouteAddress(of: route))
                }, confirmed: news)
        }
        guard stored.isBehind else { return }
        let began = Instant.now()
        guard began >= nextRetry else { return core.set(retry, to: nextRetry) }
        // What the Hub has read before it cannot have confirmed.
        if confirmed == nil, !completeness.isListed, let found = await stored.loadLate(),
            confirmed == nil, !completeness.isListed
        {
            await restore(found)
        }
        await stored.replace(all.all.filter { $0 !== own }, confirmed: confirmed)
        // A large table is not written again and again for nothing.
        nextRetry = .now() + min(Instant.now().since(began) * 10, HubRoutes.storeInterval)
        guard stored.isBehind else { return }
        core.set(retry, to: max(nextRetry, .now() + HubRoutes.storeInterval))
    }
}
