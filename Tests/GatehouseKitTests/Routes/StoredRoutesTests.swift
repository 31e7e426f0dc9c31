import FoundationEssentials
import GatehouseBase
import GatehouseStore
import Synchronization
import Testing

@testable import GatehouseKit

struct StoredRoutesTests {
    @Test func `a commit that fails is counted, and said once`() async throws {
        let folder = "/tmp/gatehouse-test-" + Hex.encode(Secret.random(count: 8).reveal())
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lines = Locked(0)
        let log = Log(label: "", level: .warning) { _ in lines.withLock { $0 += 1 } }
        let stored = StoredRoutes(try RecordStore.open(folder + "/routes.sqlite"), log: log)
        await stored.write([.remove(RouteAddress("/user/a"))])
        #expect(stored.failureCount == 0)
        await stored.close()
        for _ in 0..<3 { await stored.write([.remove(RouteAddress("/user/a"))]) }
        #expect(stored.failureCount == 3)
        #expect(lines.withLock { $0 } == 1)
    }
}
