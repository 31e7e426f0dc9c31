import FoundationEssentials
import GatehouseBase
import GatehouseStore
import Glibc
import Synchronization

@testable import GatehouseKit

/// Stored routes in a folder of a test's own, on a disk that hangs when the test says so.
final class HangingDisk: Sendable {
    let stored: StoredRoutes
    private let folder: String
    private let store: RecordStore
    private let isHanging = Atomic(false)
    private let lines: Lines

    private final class Lines: Sendable {
        let all = Locked<[String]>([])
    }

    init() throws {
        folder = "/tmp/gatehouse-test-" + Hex.encode(Secret.random(count: 8).reveal())
        let lines = Lines()
        self.lines = lines
        let log = Log(label: "", level: .notice) { event in
            lines.all.withLock { $0.append(event.message) }
        }
        let file = folder + "/routes.sqlite"
        stored = StoredRoutes(file, lifetime: .seconds(60), log: log)
        store = try RecordStore.open(file)
        stored.use(store)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// What the log says.
    var said: [String] { lines.all.withLock { $0 } }

    /// Answers nothing from now on.
    func hang() {
        isHanging.store(true, ordering: .releasing)
        // On the store's own thread, of which there is one.
        store.commit([]) { _ in
            while self.isHanging.load(ordering: .acquiring) { usleep(1000) }
        }
    }

    func recover() { isHanging.store(false, ordering: .releasing) }

    /// What the next process finds.
    func closeAndLoad() async throws -> Set<String> {
        await stored.close()
        let next = StoredRoutes(folder + "/routes.sqlite", lifetime: .seconds(60), log: .none)
        try next.open(patience: .seconds(10))
        let found = try await next.load()
        await next.close()
        return Set(found.map(\.address.path))
    }
}
