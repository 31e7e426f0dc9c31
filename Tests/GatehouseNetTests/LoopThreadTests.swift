import GatehouseBase
import Testing

@testable import GatehouseNet

/// Pins, for each construct in use, that it stays on its thread and how many jobs it enqueues: the
/// runtime's details move between Swift versions.
struct LoopThreadTests {
    /// What a construct cost: jobs enqueued from the loop itself and from elsewhere.
    private func cost(
        _ loop: EventLoop, _ body: @escaping @Sendable (isolated EventLoop) async -> Void
    ) async -> LoopThread.Enqueues {
        await loop.run { loop in
            let before = loop.thread.enqueueCounts
            await body(loop)
            let after = loop.thread.enqueueCounts
            #expect(loop.thread.isCurrent)
            return LoopThread.Enqueues(
                own: after.own - before.own, foreign: after.foreign - before.foreign)
        }
    }

    @Test func `a wait that need not park enqueues nothing`() async {
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        let cost = await cost(loop) { _ in
            let signal = Signal()
            signal.raise()
            await signal.wait()
        }
        #expect(cost == LoopThread.Enqueues(own: 0, foreign: 0))
    }

    @Test func `a timer costs one enqueue on its own thread`() async {
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        let cost = await cost(loop) { loop in
            await EventLoop.sleep(.milliseconds(1), on: loop.core)
        }
        #expect(cost == LoopThread.Enqueues(own: 1, foreign: 0))
    }

    @Test func `a child task costs one enqueue, and its value one more`() async {
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        let cost = await cost(loop) { loop in
            let child = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                #expect(loop.thread.isCurrent)
            }
            await child.value
        }
        #expect(cost.foreign == 0)
        #expect(cost.own <= 2)
    }

    @Test func `a fork runs on the loop and costs one enqueue, and its value one more`() async {
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        let cost = await cost(loop) { loop in
            let thread = loop.thread
            let core = loop.core
            let fork = core.fork {
                #expect(thread.isCurrent)
                await EventLoop.sleep(.milliseconds(1), on: core)
                #expect(thread.isCurrent)
            }
            await fork.value
        }
        #expect(cost.foreign == 0)
        // And one for the timer.
        #expect(cost.own <= 3)
    }

    @Test func `reading and writing stay on the loop, one enqueue for each wait`() async throws {
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        let cost = await cost(loop) { loop in
            guard let (left, right) = SocketPair.make(loop.core) else {
                Issue.record("no socket pair")
                return
            }
            defer {
                left.close()
                right.close()
            }
            let reader = Task.immediate(executorPreference: loop.thread) {
                _ = loop
                var buffer = ByteBuffer(adopting: loop.core.takeBuffer())
                while (try? right.tryRead(&buffer)) == .wouldBlock {
                    try? await right.waitReadable()
                }
                #expect(buffer.count == 5)
                #expect(loop.thread.isCurrent)
            }
            await EventLoop.sleep(.milliseconds(1), on: loop.core)
            var hello = ByteBuffer()
            hello.append("hello")
            _ = try? left.tryWrite(&hello)
            await reader.value
        }
        #expect(cost.foreign == 0)
        #expect(cost.own <= 4)
    }

    @Test func `a call to another loop enqueues there once, and once back`() async {
        let first = EventLoop(name: "first")
        let second = EventLoop(name: "second")
        defer {
            first.thread.stop()
            second.thread.stop()
        }
        let before = await second.run { $0.thread.enqueueCounts }
        let cost = await cost(first) { _ in
            await second.run { loop in
                for _ in 0..<20 { await EventLoop.sleep(.milliseconds(1), on: loop.core) }
                #expect(loop.thread.isCurrent)
            }
        }
        let after = await second.run { $0.thread.enqueueCounts }
        // The waits of the callee stay with the callee: nothing bounces between the two.
        #expect(cost.own + cost.foreign <= 2)
        // 20 timers, and the two ends of the measuring itself.
        #expect(after.own - before.own == 22)
        #expect(after.foreign - before.foreign <= 3)
    }

    @Test func `a signal that comes before the wait is remembered`() async {
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        let isDone = await loop.run { _ in
            let signal = Signal()
            signal.raise()
            signal.raise()
            await signal.wait()
            return !signal.isWaiting
        }
        #expect(isDone)
    }

    @Test func `a pass that keeps others waiting is counted, a quick one is not`() async {
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        let before = await loop.run { $0.core.slowPasses }
        await loop.run { _ in
            let began = Instant.now()
            while Instant.now().since(began) < .milliseconds(80) {}
        }
        let after = await loop.run { $0.core.slowPasses }
        #expect(after > before)
        // A busy machine may stop the thread in one of these; not in all.
        var counts: [Int] = []
        for _ in 0..<5 {
            await loop.run { await EventLoop.sleep(.milliseconds(1), on: $0.core) }
            counts.append(await loop.run { $0.core.slowPasses })
        }
        #expect((counts.last ?? 0) < after + 5)
    }
}
