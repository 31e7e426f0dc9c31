import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Synchronization
import Testing

/// What a cookie's screen has learnt lasts before the browser has the cookie.
@Suite struct CookieCommitTests {
    private struct Full: Error {}

    /// Lets every cookie pass, the pinned ones after a while, or never.
    private final class Screen: CookieScreen {
        let fails: Bool
        private let committed = Atomic(false)

        var isCommitted: Bool { committed.load(ordering: .acquiring) }

        init(fails: Bool) { self.fails = fails }

        func passes(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) -> Bool { true }

        func judge(setCookie line: borrowing Span<UInt8>) -> SetCookieVerdict {
            line.startsLike("pinned") ? .passesAfterCommit : .passes
        }

        func commit() async throws {
            await Task.yield()
            if fails { throw Full() }
            committed.store(true, ordering: .releasing)
        }
    }

    /// What a browser gets of an upstream that sets `cookie`.
    private func ask(_ cookie: String, _ screen: Screen) async throws -> WireResponse {
        let upstream = FakeUpstream()
        var response = Response(200, contentType: "text/plain", "signed in")
        response.head.fields.append(.setCookie, cookie)
        upstream.on("/login", response)
        let behind = try LocalServer.start { _ in upstream }
        let target = UpstreamTarget(
            host: "127.0.0.1", port: behind.port, tls: nil, connectTimeout: .seconds(5))
        let server = try ForwardingServer.start(target, review: ResponseReview(screen: screen))
        let client = TestClient()
        let url = "http://127.0.0.1:\(server.port)"
        let answer = try await client.send("GET", url + "/login")
        // Whatever became of it: the next one is served.
        #expect(try await client.send("GET", url + "/other").status == 200)
        await server.stop()
        await behind.stop()
        return answer
    }

    @Test func `an answer with a new pin goes out when the pin is kept`() async throws {
        let screen = Screen(fails: false)
        let answer = try await ask("pinned=1; Path=/", screen)
        #expect(answer.status == 200 && answer.text == "signed in")
        #expect(answer["set-cookie"] == "pinned=1; Path=/")
        #expect(screen.isCommitted)
    }

    @Test func `where the pin cannot be kept there is no such answer`() async throws {
        let answer = try await ask("pinned=1; Path=/", Screen(fails: true))
        #expect(answer.status == 503)
        #expect(answer.text == "records_failed")
        #expect(answer["set-cookie"] == nil)
    }

    @Test func `an answer without a new pin waits for nothing`() async throws {
        let screen = Screen(fails: true)
        let answer = try await ask("theme=dark", screen)
        #expect(answer.status == 200)
        #expect(answer["set-cookie"] == "theme=dark")
    }
}
