import GatehouseBase
import Testing

@testable import GatehouseNet

struct SocketTests {
    private func withPair(
        _ body:
            @escaping @Sendable (isolated EventLoop, Socket, Socket) async throws(StreamError)
            -> Void
    ) async -> StreamError? {
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        return await loop.run { loop in
            guard let (left, right) = SocketPair.make(loop.core) else { return .closed }
            defer {
                left.close()
                right.close()
            }
            do throws(StreamError) {
                try await body(loop, left, right)
                return nil
            } catch {
                return error
            }
        }
    }

    @Test func `a wait for bytes ends at its deadline`() async {
        let error = await withPair { loop, left, _ throws(StreamError) in
            left.readDeadline = .now() + .milliseconds(20)
            var buffer = ByteBuffer(adopting: loop.core.takeBuffer())
            while try left.tryRead(&buffer) == .wouldBlock { try await left.waitReadable() }
        }
        #expect(error == .timedOut)
    }

    @Test func `a deadline that is moved later does not fire at the old time`() async {
        let error = await withPair { loop, left, right throws(StreamError) in
            left.readDeadline = .now() + .milliseconds(20)
            left.readDeadline = .now() + .seconds(30)
            var hello = ByteBuffer()
            hello.append("x")
            await EventLoop.sleep(.milliseconds(60), on: loop.core)
            _ = try right.tryWrite(&hello)
            var buffer = ByteBuffer(adopting: loop.core.takeBuffer())
            while try left.tryRead(&buffer) == .wouldBlock { try await left.waitReadable() }
            #expect(buffer.count == 1)
        }
        #expect(error == nil)
    }

    @Test func `the end of the peer is read after its last bytes`() async {
        let error = await withPair { loop, left, right throws(StreamError) in
            var hello = ByteBuffer()
            hello.append("bye")
            _ = try right.tryWrite(&hello)
            right.shutdownWrite()
            var buffer = ByteBuffer(adopting: loop.core.takeBuffer())
            var results: [ReadResult] = []
            while results.last != .end {
                let result = try left.tryRead(&buffer)
                if result == .wouldBlock {
                    try await left.waitReadable()
                } else {
                    results.append(result)
                }
            }
            #expect(results == [.bytes(3), .end])
            #expect(left.isHungUp)
        }
        #expect(error == nil)
    }

    @Test func `an abort ends a wait in either direction`() async {
        let error = await withPair { loop, left, _ throws(StreamError) in
            let timer = LoopTimer { left.abort(.aborted) }
            loop.core.set(timer, to: .now() + .milliseconds(20))
            var buffer = ByteBuffer(adopting: loop.core.takeBuffer())
            while try left.tryRead(&buffer) == .wouldBlock { try await left.waitReadable() }
        }
        #expect(error == .aborted)
    }

    @Test func `a writer waits for a reader that is slow, and nothing is lost`() async {
        let error = await withPair { loop, left, right throws(StreamError) in
            let total = 4 * 1024 * 1024
            let reader = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                var count = 0
                var buffer = ByteBuffer(adopting: loop.core.takeBuffer())
                while count < total {
                    buffer.removeAll()
                    switch try? right.tryRead(&buffer) {
                    case .bytes(let more): count += more
                    case .wouldBlock: try? await right.waitReadable()
                    default: return count
                    }
                }
                return count
            }
            var data = ByteBuffer(adopting: [UInt8](repeating: 0, count: total))
            data.append([UInt8](repeating: 7, count: total))
            while try !left.tryWrite(&data) { try await left.waitWritable() }
            #expect(await reader.value == total)
        }
        #expect(error == nil)
    }
}
