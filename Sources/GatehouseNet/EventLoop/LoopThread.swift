import CLinux
import GatehouseBase
import Glibc
import Synchronization

/// One thread that is at once the serial executor of its ``EventLoop`` and the task executor of
/// every task on it. Both are needed: with a serial executor alone each resumption goes through
/// the global pool, with a task executor alone the compiler cannot check confinement.
public final class LoopThread: SerialExecutor, TaskExecutor {
    /// Counters for tests: jobs enqueued from this thread and from others.
    public struct Enqueues: Sendable, Equatable {
        public var own = 0
        public var foreign = 0
    }

    private struct Mailbox: Sendable {
        var jobs: [UnownedJob] = []
        var isStopped = false
    }

    public let name: String
    private let mailbox = Locked(Mailbox())
    private let isWoken = Atomic(false)
    private let wakeUp: Int32
    private let identity = Atomic<UInt>(0)

    // Sound: touched by this thread only, once it runs; `core` is handed out by the actor alone.
    nonisolated(unsafe) let core = LoopCore()
    nonisolated(unsafe) private var jobs: [UnownedJob] = []
    nonisolated(unsafe) private var running: [UnownedJob] = []
    nonisolated(unsafe) private var enqueues = Enqueues()

    /// Starts the thread. It runs until ``stop()``.
    public init(name: String) {
        self.name = name
        wakeUp = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        if wakeUp < 0 { ProcessLimits.giveUp("no eventfd for a loop", gh_errno()) }
        let target = WakeUp(descriptor: wakeUp)
        unsafe core.poller.add(wakeUp, target, events: Poller.readable)
        start()
    }

    deinit { close(wakeUp) }

    /// Whether the caller runs on this thread.
    @inline(__always)
    public var isCurrent: Bool { UInt(pthread_self()) == identity.load(ordering: .relaxed) }

    /// Jobs enqueued so far; read it on the loop.
    public var enqueueCounts: Enqueues {
        precondition(isCurrent)
        return unsafe enqueues
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            unsafe enqueues.own += 1
            unsafe jobs.append(job)
            return
        }
        mailbox.withLock { $0.jobs.append(job) }
        wake()
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        // Sound: the executor outlives its actor and tasks; the group keeps it.
        unsafe UnownedSerialExecutor(ordinary: self)
    }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    /// Lets the thread end after the pass in which this arrives.
    public func stop() {
        mailbox.withLock { $0.isStopped = true }
        wake()
    }

    private func wake() {
        guard !isWoken.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var one: UInt64 = 1
        // Sound: eight bytes, as an eventfd wants.
        _ = unsafe write(wakeUp, &one, 8)
    }

    private func start() {
        let result = DetachedThread.start { self.run() }
        if result != 0 { ProcessLimits.giveUp("no thread for a loop", result) }
    }

    /// A pass: run the jobs, wait, tell the targets, take in what others sent.
    private func run() {
        identity.store(UInt(pthread_self()), ordering: .relaxed)
        unsafe pthread_setname_np(pthread_self(), name)
        let core = unsafe self.core
        var isStopped = false
        while !isStopped {
            runJobs()
            core.endPass()
            checkPass(core)
            core.poll(unsafe jobs.isEmpty ? core.timeout() : 0)
            if isWoken.load(ordering: .relaxed) { isStopped = takeMail() }
        }
        runJobs()
    }

    private func runJobs() {
        let task = unsafe asUnownedTaskExecutor()
        let serial = unsafe asUnownedSerialExecutor()
        // A bounded number of rounds, then a look at the sockets: a chain of tasks starves nobody.
        for _ in 0..<16 {
            guard unsafe !jobs.isEmpty else { return }
            unsafe swap(&running, &jobs)
            for job in unsafe running {
                unsafe job.runSynchronously(isolatedTo: serial, taskExecutor: task)
            }
            unsafe running.removeAll(keepingCapacity: true)
        }
    }

    private func takeMail() -> Bool {
        isWoken.store(false, ordering: .sequentiallyConsistent)
        return mailbox.withLock { mail in
            unsafe enqueues.foreign += mail.jobs.count
            unsafe jobs.append(contentsOf: mail.jobs)
            mail.jobs.removeAll(keepingCapacity: true)
            return mail.isStopped
        }
    }

    /// Reports, never kills: a pass over 50 ms is counted.
    private func checkPass(_ core: LoopCore) {
        if Instant.now().since(core.now) > .milliseconds(50) { core.slowPasses += 1 }
    }
}

/// The eventfd by which other threads wake a loop.
private final class WakeUp: Pollable {
    private let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    override func ready(_ events: UInt32) {
        var count: UInt64 = 0
        // Sound: eight bytes, as an eventfd gives.
        _ = unsafe read(descriptor, &count, 8)
    }
}
