import FoundationEssentials
import GatehouseBase
import GatehouseGate
import GatehouseStore
import Synchronization
import Testing

@testable import GatehouseKit

struct StoredRoutesTests {
    @Test func `a commit that fails is counted, and said once`() async throws {
        let folder = "/tmp/gatehouse-test-" + Hex.encode(Secret.random(count: 8).reveal())
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lines = Locked(0)
        let log = Log(label: "", level: .notice) { _ in lines.withLock { $0 += 1 } }
        let stored = StoredRoutes(folder + "/routes.sqlite", lifetime: .seconds(60), log: log)
        try stored.open(patience: .zero)
        #expect(try await stored.load().isEmpty)
        await stored.write([.remove(RouteAddress("/user/a"))])
        #expect(stored.failureCount == 0 && !stored.isBehind)
        try FileManager.default.removeItem(atPath: folder)
        try Data().write(to: URL(filePath: folder))
        for _ in 0..<3 { await stored.write([.remove(RouteAddress("/user/a"))]) }
        #expect(stored.failureCount == 3 && stored.isBehind)
        #expect(lines.withLock { $0 } == 1)
        await stored.replace([], confirmed: nil)
        #expect(stored.failureCount == 4 && stored.isBehind)
        #expect(lines.withLock { $0 } == 1)
        try FileManager.default.removeItem(atPath: folder)
        await stored.replace([], confirmed: nil)
        #expect(stored.failureCount == 4 && !stored.isBehind)
        #expect(lines.withLock { $0 } == 2, "that it is stored again")
        await stored.close()
    }

    @Test func `what changes while the whole table is written is written later`() async throws {
        let disk = try HangingDisk()
        disk.stored.goOn()
        disk.hang()
        await withTaskGroup { group in
            let isRead = Locked(false)
            group.addTask {
                let routes = AnySequence<Route> {
                    isRead.withLock { $0 = true }
                    return [Route]().makeIterator()
                }
                await disk.stored.replace(routes, confirmed: nil)
            }
            while !isRead.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(5)) }
            disk.stored.miss()
            disk.recover()
        }
        #expect(disk.stored.isBehind && disk.said.isEmpty)
        await disk.stored.replace([], confirmed: nil)
        #expect(!disk.stored.isBehind)
        #expect(disk.said == ["routes are stored again"])
        #expect(try await disk.closeAndLoad().isEmpty)
    }

    @Test func `what was given up is written no more and says nothing`() async throws {
        let folder = "/tmp/gatehouse-test-" + Hex.encode(Secret.random(count: 8).reveal())
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lines = Locked(0)
        let log = Log(label: "", level: .notice) { _ in lines.withLock { $0 += 1 } }
        let stored = StoredRoutes(folder + "/routes.sqlite", lifetime: .seconds(60), log: log)
        try stored.open(patience: .zero)
        await stored.close()
        let next = StoredRoutes(folder + "/routes.sqlite", lifetime: .seconds(60), log: log)
        try next.open(patience: .zero)
        await stored.write([.remove(RouteAddress("/user/a"))])
        await stored.replace([], confirmed: 1)
        #expect(!stored.isBehind && stored.failureCount == 0)
        #expect(lines.withLock { $0 } == 0)
        await next.close()
    }

    @Test func `a confirmation of the future, from a clock that was wrong, counts for nothing`()
        async throws
    {
        let folder = "/tmp/gatehouse-test-" + Hex.encode(Secret.random(count: 8).reveal())
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let stored = StoredRoutes(folder + "/routes.sqlite", lifetime: .seconds(60), log: .none)
        try stored.open(patience: .zero)
        let now = Timestamp.now().milliseconds
        func after(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: now + seconds * 1000) }
        let route = Route(
            name: "/user/a", target: nil,
            rules: RouteRules(identity: RouteIdentity(identityHeaders: [])), host: nil,
            prefix: "/user/a", data: Array(#""target":"x""#.utf8))
        await stored.replace([route], confirmed: now + 30_000)
        #expect(try await stored.load(now: after(80)).map(\.goodUntil) == [now + 90_000])
        await stored.replace([route], confirmed: now + 86_400_000)
        #expect(try await stored.load(now: after(50)).count == 1)
        #expect(try await stored.load(now: after(70)).isEmpty)
        await stored.close()
    }
}
