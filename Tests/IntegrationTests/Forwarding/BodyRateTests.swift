import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Testing

/// A body that an endpoint of our own reads whole, from a client that takes its time.
struct BodyRateTests {
    private final class WholeBody: Responder {
        func respond(to exchange: any Exchange) async {
            do {
                let body = try await exchange.body(atMost: 1000)
                await exchange.send(Response(200, contentType: "text/plain", "\(body.count)"))
            } catch {
                await refuse(exchange, error)
            }
        }

        func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async {
            await exchange.send(Response(failure.status, contentType: "text/plain", failure.word))
        }
    }

    /// The answer to a body of 60 bytes of which `early` come at once, one 1.1 s and one 1.2 s later.
    private func answer(early: Int) async throws -> WireResponse {
        var limits = Limits()
        limits.bodyRate = 10
        limits.bodyRateGrace = .milliseconds(500)
        let server = try LocalServer.start(limits: limits) { _ in WholeBody() }
        let port = server.port
        let response = try await server.loop.attempt { loop in
            let connection = try await RawConnection.connect(port: port, on: loop)
            let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n"
            try await connection.send(head + String(repeating: "x", count: early))
            await EventLoop.sleep(.milliseconds(1100), on: loop.core)
            try await connection.send("x")
            // In a piece of its own, so that the rate is judged once more.
            await EventLoop.sleep(.milliseconds(100), on: loop.core)
            try await connection.send("x")
            return try await connection.response()
        }
        await server.stop()
        return response
    }

    @Test func `a body that is slow at its end but keeps the rate is read`() async throws {
        let response = try await answer(early: 58)
        #expect(response.status == 200)
        #expect(response.text == "60")
    }

    @Test func `a body below the rate is refused`() async throws {
        #expect(try await answer(early: 3).status == 408)
    }
}
