import GatehouseBase
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy
import GatehouseTesting
import Synchronization
import Testing

/// Our own requests to a server that never comes to an end.
struct UpstreamClientTests {
    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    /// What comes of a request to a server with that script.
    private func ask(
        within time: Duration = .milliseconds(300), maximumBody: Int = 1 << 20,
        _ script: @escaping RawServer.Script
    ) async throws -> Result<[UInt8], ExchangeFailure> {
        let server = try RawServer { connection, loop in
            _ = try await connection.read(until: "\r\n\r\n")
            try await script(connection, loop)
        }
        defer { server.stop() }
        let loop = EventLoop(name: "client")
        defer { loop.thread.stop() }
        return await send(
            to: server.port, on: loop, by: .now() + time, maximumBody: maximumBody)
    }

    private func send(
        to port: UInt16, on loop: EventLoop, by deadline: Instant, maximumBody: Int
    ) async -> Result<[UInt8], ExchangeFailure> {
        await loop.run { loop in
            let limits = Limits()
            let pool = UpstreamPool(core: loop.core, resolver: Resolver(limits), limits: limits)
            let target = UpstreamTarget(
                host: "127.0.0.1", port: port, tls: nil, connectTimeout: .seconds(10))
            do throws(ExchangeFailure) {
                return .success(
                    try await UpstreamClient.send(
                        RequestHead("GET", target: "/", authority: "x"), body: nil, to: target,
                        over: pool, limits: limits, deadline: deadline, maximumBody: maximumBody
                    ).body)
            } catch { return .failure(error) }
        }
    }

    private func reason(_ result: Result<[UInt8], ExchangeFailure>) -> ExchangeFailure.Reason? {
        if case .failure(let failure) = result { failure.reason } else { nil }
    }

    @Test func `an answer in pieces is read whole`() async throws {
        let result = try await ask(within: .seconds(10)) { connection, loop in
            for piece in [
                "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200", " OK\r\nTransfer-Encoding: chunked",
                "\r\n\r\n3\r\nabc\r\n", "1\r\nd\r\n0\r\n\r\n",
            ] {
                try await connection.send(piece)
                await EventLoop.sleep(.milliseconds(5), on: loop.core)
            }
        }
        #expect(try result.get() == Array("abcd".utf8))
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"])
    func `a head or a body that drips ends at the deadline`(beginning: String) async throws {
        let result = try await ask { connection, loop in
            try await connection.send(beginning)
            while true {
                try await connection.send("x")
                await EventLoop.sleep(.milliseconds(10), on: loop.core)
            }
        }
        #expect(reason(result) == .upstreamTimeout)
    }

    /// A deadline that only a wait looks at is none for a peer that sends as fast as we read.
    @Test func `bytes that lie there after the deadline are too late as well`() async throws {
        let asked = Delivery<Void>()
        let isBusy = Flag()
        let answer =
            Array("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".utf8)
            + [UInt8](repeating: 0x20, count: 100_000)
        let server = try RawServer { connection, loop in
            _ = try await connection.read(until: "\r\n\r\n")
            asked.deliver(())
            while !isBusy.isSet.load(ordering: .acquiring) {
                await EventLoop.sleep(.milliseconds(5), on: loop.core)
            }
            try await connection.send(answer)
        }
        let port = server.port
        let loop = EventLoop(name: "client")
        let deadline = Instant.now() + .seconds(1)
        let result = await withTaskGroup(of: Result<[UInt8], ExchangeFailure>?.self) { group in
            group.addTask { await send(to: port, on: loop, by: deadline, maximumBody: 1 << 20) }
            group.addTask {
                // The loop looks away until it is too late; meanwhile everything arrives.
                await asked.value()
                await loop.run { _ in
                    isBusy.isSet.store(true, ordering: .releasing)
                    while Instant.now() < deadline + .milliseconds(50) {}
                }
                return nil
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
        loop.thread.stop()
        server.stop()
        #expect(reason(try #require(result)) == .upstreamTimeout)
    }

    @Test func `interim answers without end are refused`() async throws {
        let result = try await ask(within: .seconds(10)) { connection, _ in
            while true { try await connection.send("HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n") }
        }
        #expect(reason(result) == .upstreamMalformed(MessageError(.statusLine)))
    }

    @Test(arguments: [
        "Content-Length: 99999999", "Transfer-Encoding: chunked", "Connection: close",
    ])
    func `a body above its limit is left while it is being read`(framing: String) async throws {
        let chunk = [UInt8](repeating: 0x20, count: 0x1000)
        let isChunked = framing.hasPrefix("Transfer")
        let result = try await ask(within: .seconds(10), maximumBody: 100_000) { connection, _ in
            try await connection.send("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n")
            while true {
                if isChunked { try await connection.send("1000\r\n") }
                try await connection.send(chunk)
                if isChunked { try await connection.send("\r\n") }
            }
        }
        #expect(reason(result) == .bodyTooLarge)
    }
}
