import GatehouseBase
import GatehouseConfiguration
import GatehouseNet
import Testing

@testable import GatehouseKit

struct ControlStateTests {
    @Test(.timeLimit(.minutes(1)))
    func `a stop does not wait for a disk that hangs, and leaves one that works closed`()
        async throws
    {
        for hangs in [true, false] {
            let disk = try HangingDisk()
            if hangs { disk.hang() }
            let blueprint = try Blueprint(Configuration())
            let time = await EventLoop(name: "control").run { loop in
                let routes = HubRoutes(core: loop.core, stored: disk.stored) { _ in
                    nil
                } spread: { _ in
                } complete: {
                }
                let state = ControlState(
                    blueprint: blueprint, routes: routes, counters: Counters())
                let began = Instant.now()
                await state.giveUpStore(deadline: began, core: loop.core)
                return Instant.now().since(began)
            }
            #expect(time < .seconds(5))
            if hangs { #expect(time >= .milliseconds(150), "it was waited for") }
            disk.recover()
            #expect(try await disk.closeAndLoad().isEmpty)
        }
    }
}
