/// The loops of a process: some that serve, and one that controls them.
public final class LoopGroup: Sendable {
    /// Loops that accept connections.
    public let serving: [EventLoop]
    /// The provider's connections, timers of the whole process, reload and drain.
    public let control: EventLoop

    /// Starts the threads.
    public init(serving count: Int) {
        precondition(count > 0)
        serving = (0..<count).map { EventLoop(name: "loop-\($0)") }
        control = EventLoop(name: "control")
    }

    /// Runs `body` on every serving loop at once; returns when all have.
    public func broadcast(
        _ body: @escaping @Sendable (isolated EventLoop) async -> Void
    ) async {
        let runs = serving.map { loop in
            Task(executorPreference: loop.thread) { await body(loop) }
        }
        for run in runs { await run.value }
    }

    /// Lets the threads end.
    public func stop() {
        for loop in serving { loop.thread.stop() }
        control.thread.stop()
    }
}
