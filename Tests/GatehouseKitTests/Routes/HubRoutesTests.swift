import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import GatehouseProxy
import Synchronization
import Testing

@testable import GatehouseKit

struct HubRoutesTests {
    private static func routes(_ paths: [String]) throws -> [String: Route] {
        let object = #"{"target":"http://127.0.0.1:1","jupyterhub":true}"#
        let blueprint = try Blueprint(Configuration())
        return try Dictionary(
            uniqueKeysWithValues: paths.map { path in
                let address = RouteAddress(path)
                return (path, try blueprint.route(at: address, object: Array(object.utf8)).route)
            })
    }

    /// A route is told while another is on its way to the loops; then the lifetime of its stored
    /// copy ends; then the other one arrives.
    @Test func `a route that the Hub tells as its stored copy ends stays`() async throws {
        let made = try HubRoutesTests.routes(["/user/told", "/user/silent", "/x"])
        await EventLoop(name: "control").run { loop in
            let isLetGo = Locked(false)
            let core = loop.core
            let routes = HubRoutes(core: core, stored: nil) { found in
                made[found.address.path]
            } spread: { changes in
                guard case .set(let route)? = changes.first, Array(route.name) == Array("/x".utf8)
                else { return }
                while !isLetGo.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(5)) }
            } complete: {
            }
            let end = Timestamp.now().milliseconds + 500
            await routes.restore(
                ["/user/told", "/user/silent"].map {
                    StoredRoutes.Found(
                        address: RouteAddress($0), object: [], confirmed: 0, goodUntil: end)
                })
            #expect(routes.all.count == 2)
            let isTold = Signal()
            core.fork {
                if let other = made["/x"] { await routes.add(other) }
            }
            await EventLoop.sleep(.milliseconds(20), on: core)
            core.fork {
                if let told = made["/user/told"] { await routes.add(told) }
                isTold.raise()
            }
            await EventLoop.sleep(.milliseconds(900), on: core)
            #expect(routes.all.count == 3, "the other one is still on its way")
            isLetGo.withLock { $0 = true }
            await isTold.wait()
            await EventLoop.sleep(.milliseconds(100), on: core)
            #expect(routes.all[RouteAddress("/user/told")] != nil)
            #expect(routes.all[RouteAddress("/user/silent")] == nil)
            #expect(routes.all[RouteAddress("/x")] != nil)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a disk that hangs holds up the first change for a moment, and makes up for it later`()
        async throws
    {
        let made = try HubRoutesTests.routes(["/user/a", "/user/b", "/user/c"])
        let disk = try HangingDisk()
        await EventLoop(name: "control").run { loop in
            let spread = Locked(0)
            let routes = HubRoutes(core: loop.core, stored: disk.stored) { _ in
                nil
            } spread: { changes in
                spread.withLock { $0 += changes.count }
            } complete: {
            }
            func add(_ path: String) async -> Duration {
                let began = Instant.now()
                if let route = made[path] { await routes.add(route) }
                return Instant.now().since(began)
            }
            _ = await add("/user/a")
            #expect(!disk.stored.isBehind && disk.said.isEmpty)
            disk.hang()
            let first = await add("/user/b")
            #expect(first >= .milliseconds(2900) && first < .seconds(20))
            #expect(disk.stored.isBehind && disk.stored.failureCount == 1)
            let second = await add("/user/c")
            #expect(second < .milliseconds(2500))
            #expect(await routes.remove(RouteAddress("/user/a")))
            #expect(spread.withLock { $0 } == 4)
            #expect(disk.said.count == 1)
            #expect(disk.said.first?.hasPrefix("routes cannot be stored") == true)
            disk.recover()
            for _ in 0..<1000 where disk.stored.isBehind {
                await EventLoop.sleep(.milliseconds(5), on: loop.core)
            }
            #expect(!disk.stored.isBehind)
            #expect(disk.said.last == "routes are stored again")
        }
        #expect(try await disk.closeAndLoad() == ["/user/b", "/user/c"])
    }

    /// What ends it is told once, and only when the time is over; here 300 ms in place of 330 s.
    @Test func `a Hub that never speaks is waited for once and no longer`() async {
        let isComplete = Locked(0)
        await EventLoop(name: "control").run { loop in
            let routes = HubRoutes(
                core: loop.core, stored: nil, longestSilence: .milliseconds(300)
            ) { _ in
                nil
            } spread: { _ in
            } complete: {
                isComplete.withLock { $0 += 1 }
            }
            let began = Instant.now()
            routes.awaitHub()
            while isComplete.withLock({ $0 }) == 0, Instant.now().since(began) < .seconds(20) {
                await EventLoop.sleep(.milliseconds(5), on: loop.core)
            }
            #expect(Instant.now().since(began) >= .milliseconds(300))
            #expect(isComplete.withLock { $0 } == 1)
            await EventLoop.sleep(.milliseconds(400), on: loop.core)
            #expect(isComplete.withLock { $0 } == 1)
        }
    }
}
