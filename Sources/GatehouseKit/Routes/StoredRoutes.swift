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
final class StoredRoutes: Sendable {
    /// A route as it was found.
    struct Found {
        let address: RouteAddress
        /// As the API was given it.
        let object: [UInt8]
        /// When it ends unless the Hub confirms it; wall clock, milliseconds.
        let goodUntil: Int64
    }

    private static let routes = RecordStore.Table(1)
    /// One record: when the Hub confirmed the whole table last.
    private static let confirmation = RecordStore.Table(2)

    private let store: RecordStore
    private let log: Log
    /// Whether the last commit failed: said once, not for every route.
    private let isFailing = Locked(false)
    private let failures = Atomic(0)

    init(_ store: RecordStore, log: Log) {
        self.store = store
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

    /// What is still good. What is not is removed.
    func load(lifetime: Duration, now: Timestamp = .now()) async throws(StoreError) -> [Found] {
        let confirmed = try store.records(in: StoredRoutes.confirmation).first
        let tableTime = confirmed.flatMap { StoredRoutes.time($0.value) } ?? 0
        var found: [Found] = []
        var stale: [RecordStore.Change] = []
        try store.forEach(in: StoredRoutes.routes) { record in
            let written = StoredRoutes.time(record.value) ?? 0
            let goodUntil = max(written, tableTime) + lifetime.milliseconds
            guard goodUntil > now.milliseconds, written <= now.milliseconds + 60_000 else {
                return stale.append(.remove(StoredRoutes.routes, key: record.key))
            }
            found.append(
                Found(
                    address: RouteAddress(String(decoding: record.key, as: UTF8.self)),
                    object: Array(record.value.dropFirst(8)), goodUntil: goodUntil))
        }
        if !stale.isEmpty { await commit(stale) }
        return found
    }

    /// Writes changes down; returns when they survive a kill -9. Where that fails the routes are in
    /// memory alone: a user's server must not fail to start for it.
    func write(_ changes: [RouteChange], now: Timestamp = .now()) async {
        let time = StoredRoutes.bytes(now)
        await commit(
            changes.map { change in
                switch change {
                case .set(let route):
                    .put(
                        StoredRoutes.routes, key: Array(route.name),
                        value: time + RouteData.object(of: route))
                case .remove(let address):
                    .remove(StoredRoutes.routes, key: address.bytes)
                }
            })
    }

    /// The Hub has read the table and left it as it is.
    func confirm(now: Timestamp = .now()) async {
        await commit([.put(StoredRoutes.confirmation, key: [0], value: StoredRoutes.bytes(now))])
    }

    /// Commits that failed.
    var failureCount: Int { failures.load(ordering: .relaxed) }

    /// Ends the store, for a clean stop.
    func close() async { await store.close() }

    private func commit(_ changes: [RecordStore.Change]) async {
        do throws(StoreError) {
            try await store.commit(changes)
            let wasFailing = isFailing.withLock { state in
                defer { state = false }
                return state
            }
            if wasFailing { log.notice("routes are stored again") }
        } catch {
            failures.add(1, ordering: .relaxed)
            let wasFailing = isFailing.withLock { state in
                defer { state = true }
                return state
            }
            guard !wasFailing else { return }
            log.warning(
                "routes cannot be stored and are in memory alone: \(error)",
                ("remedy", "make room in 'state_dir'; what was stored before is still there"))
        }
    }

    private static func bytes(_ time: Timestamp) -> [UInt8] {
        let number = UInt64(bitPattern: time.milliseconds)
        return (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }

    private static func time(_ value: [UInt8]) -> Int64? {
        guard value.count >= 8 else { return nil }
        return Int64(bitPattern: value.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}
