import GatehouseBase

/// # How Gatehouse runs
///
/// A loop is a thread with its own epoll, timers, listeners and connections. A connection lives
/// and dies on the loop that accepted it; loops share by message or by immutable snapshot.
///
/// **The executor.** ``LoopThread`` is the serial executor of this actor *and* the task executor
/// of every task started on it. A socket that becomes ready resumes the task that waits for it by
/// appending a job to the thread's own queue: no lock, no other thread, about 0.2 µs.
///
/// **Confinement is a type.** Everything a loop owns is a class that is not `Sendable`; async
/// functions run where their caller runs. The compiler refuses to hand a connection to another
/// loop. Three rules carry the rest:
/// 1. A function that only waits says nothing, and neither does one that forks: it asks
///    ``LoopCore/fork(_:)``. One that takes `on loop: isolated EventLoop` is where code comes onto
///    the loop; each such function looks twice at the executor, which a plain one does not.
/// 2. Bare `Task { }`, detached tasks and `async let` are refused by lint outside this folder:
///    they lose the executor.
/// 3. A continuation of a task on a loop is held in Waiter.swift only.
///
/// **Signals are remembered.** epoll is edge-triggered: between a read that found nothing and the
/// moment at which the task parks, the event may come. So every socket keeps what it was told in
/// a flag, and a waiter takes a remembered signal before it parks.
///
/// **No select.** A deadline belongs to the stream, not to the task: the wheel makes the pending
/// call throw. Two directions are two tasks, and the first failure aborts both streams. Task
/// cancellation is not used: its handlers run on the canceller's thread.
///
/// **Another loop** is reached by a task started with *that* loop's preference, its value awaited
/// (``run(_:)``). A plain `await` of another loop's actor keeps the caller's preference, and every
/// wait inside would bounce between the two threads.
public actor EventLoop {
    public nonisolated let thread: LoopThread
    /// What the loop owns; reachable only from code that runs on it.
    public let core: LoopCore
    /// What the layers above keep per loop.
    public var attachment: AnyObject?

    /// Keeps `attachment` on this loop.
    public func attach(_ attachment: AnyObject) { self.attachment = attachment }

    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        // Sound: the thread outlives its actor.
        unsafe thread.asUnownedSerialExecutor()
    }

    /// Starts a loop on a thread of its own.
    public init(name: String) {
        thread = LoopThread(name: name)
        core = unsafe thread.core
        core.loop = self
    }

    /// Runs `body` on this loop and waits for it, from another loop or none.
    public nonisolated func run<Value: Sendable>(
        _ body: @escaping @Sendable (isolated EventLoop) async -> Value
    ) async -> Value {
        await Task(executorPreference: thread) { await body(self) }.value
    }

    /// Starts `body` on this loop and does not wait.
    public nonisolated func start(
        _ body: @escaping @Sendable (isolated EventLoop) async -> Void
    ) {
        _ = Task(executorPreference: thread) { await body(self) }
    }

    /// Runs what ``LoopCore/fork(_:)`` was given.
    fileprivate func run(_ forked: () async -> Void) async { await forked() }

    /// Waits for `duration` on this loop.
    public static func sleep(_ duration: Duration, on core: LoopCore) async {
        let signal = Signal()
        let timer = LoopTimer { signal.raise() }
        core.set(timer, to: .now() + duration)
        await signal.wait()
    }
}

extension LoopCore {
    /// Runs `body` beside its caller, in a task of its own on this loop.
    @discardableResult
    public func fork(_ body: @escaping () async -> Void) -> Task<Void, Never> {
        guard let loop, loop.thread.isCurrent else {
            preconditionFailure("a fork away from its loop")
        }
        // Sound: the task is isolated to the loop that this runs on, and so is `body`, which
        // nobody else can send elsewhere: what it captures is bound to this core.
        nonisolated(unsafe) let body = body
        return Task.immediate(executorPreference: loop.thread) { unsafe await loop.run(body) }
    }

    /// Runs `body` as ``fork(_:)`` does, and waits for it no longer than `patience`; it goes on then.
    /// - Returns: whether it is over.
    public func fork(
        waitingAtMost patience: Duration, _ body: @escaping () async -> Void
    ) async -> Bool {
        let news = Signal()
        var isOver = false
        fork {
            await body()
            isOver = true
            news.raise()
        }
        let timer = LoopTimer { news.raise() }
        set(timer, to: .now() + patience)
        await news.wait()
        cancel(timer)
        return isOver
    }
}
