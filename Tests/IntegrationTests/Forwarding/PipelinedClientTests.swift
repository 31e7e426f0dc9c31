import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Synchronization
import Testing

/// A client whose next request is always there already.
struct PipelinedClientTests {
    /// Answers at once, and notes the pass of the loop in which each request came to its turn.
    private final class PassNoter: Responder {
        private let core: LoopCore
        private let passes: PassList

        init(_ core: LoopCore, _ passes: PassList) {
            self.core = core
            self.passes = passes
        }

        func respond(to exchange: any Exchange) async {
            passes.all.withLock { $0.append(core.now) }
            await exchange.send(Response(200))
        }

        func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async {}
    }

    private final class PassList: Sendable {
        let all = Locked<[Instant]>([])
    }

    @Test func `it does not keep the loop for itself`() async throws {
        let passes = PassList()
        let server = try LocalServer.start { loop in PassNoter(loop.core, passes) }
        let port = server.port
        try await EventLoop(name: "client").attempt { loop in
            let client = try await RawConnection.connect(port: port, on: loop)
            let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            try await client.send(String(repeating: request, count: 500))
            var answers = 0
            while answers < 500 {
                _ = try await client.read(until: "\r\n\r\n")
                answers += 1
            }
            client.close()
        }
        await server.stop()
        let found = passes.all.withLock(\.self)
        var longest = 0
        var run = 0
        for (index, pass) in found.enumerated() {
            run = index > 0 && found[index - 1] == pass ? run + 1 : 1
            longest = max(longest, run)
        }
        #expect(found.count == 500)
        #expect(longest <= 32, "others wait meanwhile")
    }
}
