import GatehouseBase
import GatehouseConfiguration
import GatehouseOIDC
import GatehouseStore
import Synchronization

/// The routes of the API on the disk, so that user servers are reachable at once after a restart.
///
/// A route's address may belong to somebody else's server by then. So each is good only until
/// `stored_route_lifetime` after the Hub's last confirmation, by the wall clock: it wrote the route,
/// or it read the whole table and left the route standing.
///
/// Once a commit has failed the file holds something else than memory: routes that have ended, too,
/// which a confirmation of the table would renew. Then only ``replace(_:confirmed:)`` makes it good
/// again. One caller at a time writes; what changes while a write hangs is missed, and no more.
final class StoredRoutes: Sendable {
    /// A route as it was found.
    struct Found {
        let address: RouteAddress
        /// As the API was given it.
        let object: [UInt8]
        /// When the Hub confirmed it last; wall clock, milliseconds.
        let confirmed: Int64
        /// When it ends unless the Hub confirms it.
        let goodUntil: Int64

        /// Whether it is the route of a command line, as older versions have stored it: JupyterHub
        /// gives its own more than a target.
        var isOfCommandLine: Bool {
            guard address == RouteAddress("/"),
                let members = try? JSONValue.parse(object, maximumSize: object.count).object
            else { return false }
            return Set(members.keys).isSubset(of: ["target", "host"])
        }
    }

    private struct State {
        /// nil until the file could be opened, and while it is opened anew.
        var store: RecordStore?
        /// Whether what an earlier process has left was read.
        var isLoaded = false
        /// Whether the file may hold something else than memory.
        var isBehind = false
        /// Changes that nobody has tried to write.
        var misses = 0
        /// Whether the last commit failed: said once, not for every route.
        var isFailing = false
        /// Given up, for the next process.
        var isClosed = false
    }

    private static let routes = RecordStore.Table(1)
    /// One record: when the Hub confirmed the whole table last.
    private static let confirmation = RecordStore.Table(2)

    private let file: String
    private let lifetime: Duration
    private let log: Log
    private let state = Locked(State())
    private let failures = Atomic(0)

    /// - Parameter lifetime: of what the Hub does not confirm.
    init(_ file: String, lifetime: Duration, log: Log) {
        self.file = file
        self.lifetime = lifetime
        self.log = log
    }

    /// The file in a state directory. JupyterHubs of one user do not share one: their proxies have
    /// different addresses, or different Hubs.
    static func file(in directory: String, for configuration: Configuration) -> String {
        let addresses = configuration.listeners.map { "\($0.role) \($0.address)" }
        let owner = addresses + [configuration.forwarding.errorPages.target ?? ""]
        let digest = Crypto.sha256(Array(owner.joined(separator: "\n").utf8))
        return "\(directory)/routes-\(Hex.encode(Array(digest.prefix(8)))).sqlite"
    }

    // MARK: Opening

    /// Opens the file, at the start.
    ///
    /// - Parameter patience: for the process before this one, which may be ending.
    func open(patience: Duration) throws(StoreError) {
        let store = try RecordStore.open(file, patience: patience)
        if let damage = store.damage { log.error("\(file): \(damage)") }
        use(store)
    }

    /// Takes a store of the file that was opened.
    func use(_ store: RecordStore) { state.withLock { $0.store = store } }

    /// Goes on without the file, which could not be opened: it is tried again.
    func goOn() {
        state.withLock { state in
            state.isBehind = true
            state.isFailing = true
        }
    }

    /// What is still good. What is not is removed.
    func load(now: Timestamp = .now()) async throws(StoreError) -> [Found] {
        guard let store = state.withLock({ $0.store }) else { return [] }
        let confirmed = try store.records(in: StoredRoutes.confirmation).first
        // What is of the future was written under a clock that was wrong, and says nothing.
        let latest = now.milliseconds + 60_000
        let confirmation = confirmed.flatMap { StoredRoutes.time($0.value) } ?? 0
        let tableTime = confirmation <= latest ? confirmation : 0
        var found: [Found] = []
        var stale: [RecordStore.Change] = []
        try store.forEach(in: StoredRoutes.routes) { record in
            let written = StoredRoutes.time(record.value) ?? 0
            let confirmed = max(written, tableTime)
            let goodUntil = confirmed + lifetime.milliseconds
            guard goodUntil > now.milliseconds, written <= latest else {
                return stale.append(.remove(StoredRoutes.routes, key: record.key))
            }
            found.append(
                Found(
                    address: RouteAddress(String(decoding: record.key, as: UTF8.self)),
                    object: Array(record.value.dropFirst(8)), confirmed: confirmed,
                    goodUntil: goodUntil))
        }
        if !stale.isEmpty { await commit(stale, to: store) }
        state.withLock { $0.isLoaded = true }
        return found
    }

    /// Opens the file where it is not open, or not the one that has this name now.
    private func reopen() async throws(StoreError) -> RecordStore {
        if let store = state.withLock({ $0.store }) {
            if store.isInPlace { return store }
            // Before another one begins: at its end SQLite removes its log by name.
            state.withLock { $0.store = nil }
            await store.close()
        }
        try open(patience: .zero)
        guard let store = state.withLock({ $0.store }) else { throw .closed }
        return store
    }

    /// What an earlier process has left in a file that could not be opened before; nil where there
    /// is nothing new to know.
    func loadLate() async -> [Found]? {
        guard state.withLock({ !$0.isLoaded && !$0.isClosed }) else { return nil }
        do throws(StoreError) {
            _ = try await reopen()
            return try await load()
        } catch {
            return nil
        }
    }

    // MARK: Writing

    /// Whether what an earlier process has left was read.
    var isLoaded: Bool { state.withLock { $0.isLoaded } }

    /// Whether the file may hold something else than memory; never once it was given up.
    var isBehind: Bool { state.withLock { $0.isBehind && !$0.isClosed } }

    /// Writes changes down; returns when they survive a kill -9. Where that fails the routes are in
    /// memory alone: a user's server must not fail to start for it.
    ///
    /// - Parameter confirmed: when the Hub has read the table and left it as it is, where that is
    ///   news.
    func write(_ changes: [RouteChange], confirmed: Int64? = nil) async {
        guard !state.withLock({ $0.isClosed }) else { return }
        guard let store = state.withLock({ $0.store }) else {
            return state.withLock { $0.isBehind = true }
        }
        var records: [RecordStore.Change] = changes.map { change in
            switch change {
            case .set(let route): StoredRoutes.record(of: route)
            case .remove(let address): .remove(StoredRoutes.routes, key: address.bytes)
            }
        }
        if let confirmed { records.append(StoredRoutes.record(confirmed)) }
        await commit(records, to: store)
    }

    /// Makes the file hold these routes and no others.
    ///
    /// - Parameter confirmed: when the Hub has confirmed the table last; nil: never yet.
    func replace(_ routes: some Sequence<Route>, confirmed: Int64?) async {
        let (isClosed, misses) = state.withLock { ($0.isClosed, $0.misses) }
        guard !isClosed else { return }
        do throws(StoreError) {
            let store = try await reopen()
            var records: [RecordStore.Change] = [
                .removeAll(StoredRoutes.routes), .removeAll(StoredRoutes.confirmation),
            ]
            records += routes.map(StoredRoutes.record)
            if let confirmed { records.append(StoredRoutes.record(confirmed)) }
            await commit(records, to: store, afterMisses: misses)
        } catch {
            note(error)
        }
    }

    /// Notes that the file misses changes: an earlier write hangs.
    func miss() {
        state.withLock { state in
            state.isBehind = true
            state.misses += 1
        }
    }

    /// Notes that a write takes longer than anybody waits for it; it may still be done.
    func noteSilence() { note(.io("its disk does not answer")) }

    /// Commits that failed, or took too long.
    var failureCount: Int { failures.load(ordering: .relaxed) }

    /// Gives the file up: nothing is written any more, and the next process may open it.
    func close() async {
        let store = state.withLock { state in
            state.isClosed = true
            return state.store
        }
        await store?.close()
    }

    /// - Parameter misses: where the file then holds what memory held, whatever it held before: after
    ///   how many misses that was.
    private func commit(
        _ changes: [RecordStore.Change], to store: RecordStore, afterMisses misses: Int? = nil
    ) async {
        do throws(StoreError) {
            guard store.isInPlace else { throw .io("its file was removed or replaced") }
            try await store.commit(changes)
            let wasFailing = state.withLock { state in
                if let misses {
                    state.isBehind = state.misses != misses
                    state.isLoaded = true
                }
                defer { state.isFailing = state.isBehind }
                return state.isFailing && !state.isBehind
            }
            if wasFailing { log.notice("routes are stored again") }
        } catch {
            note(error)
        }
    }

    private func note(_ error: StoreError) {
        let isNews = state.withLock { state in
            defer {
                state.isBehind = true
                state.isFailing = true
            }
            return !state.isFailing && !state.isClosed
        }
        failures.add(1, ordering: .relaxed)
        guard isNews else { return }
        log.warning(
            "routes cannot be stored and are in memory alone: \(file): \(error)",
            ("remedy", "make 'state_dir' writable, with room in it; it is tried again"))
    }

    // MARK: Records

    private static func record(of route: Route) -> RecordStore.Change {
        .put(
            routes, key: Array(route.name),
            value: bytes(route.confirmedMilliseconds) + RouteData.object(of: route))
    }

    private static func record(_ confirmed: Int64) -> RecordStore.Change {
        .put(confirmation, key: [0], value: bytes(confirmed))
    }

    private static func bytes(_ time: Int64) -> [UInt8] {
        let number = UInt64(bitPattern: time)
        return (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }

    private static func time(_ value: [UInt8]) -> Int64? {
        guard value.count >= 8 else { return nil }
        return Int64(bitPattern: value.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}
