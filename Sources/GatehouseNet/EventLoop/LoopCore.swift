public import GatehouseBase

/// What one loop owns: epoll, timers, the time of this pass, and the free list of buffers. Not
/// `Sendable`: the compiler keeps it on its loop.
public final class LoopCore {
    /// Bytes of one buffer of the free list.
    public static let bufferSize = 16 * 1024
    private static let keptBuffers = 64

    /// The monotonic time at which this pass began.
    public internal(set) var now = Instant.now()
    /// Passes that took longer than 50 ms.
    public internal(set) var slowPasses = 0

    /// Whose core this is.
    weak var loop: EventLoop?

    let poller = Poller()
    private let timers = TimerWheel(now: .now())
    private var buffers: [[UInt8]] = []
    /// Ciphertext on its way to or from the kernel; empty between jobs.
    var scratch = ByteBuffer(adopting: ByteBuffer.zeros(64 * 1024))
    private var passEndHooks: [() -> Void] = []
    private var waitingForPass: [Signal] = []

    init() {}

    /// Sets or moves a timer.
    public func set(_ timer: LoopTimer, to deadline: Instant) { timers.set(timer, to: deadline) }

    /// Takes a timer out.
    public func cancel(_ timer: LoopTimer) { timers.cancel(timer) }

    /// A buffer of ``bufferSize`` bytes.
    public func takeBuffer() -> [UInt8] {
        buffers.popLast() ?? ByteBuffer.zeros(LoopCore.bufferSize)
    }

    /// Gives a buffer back; those of another size are let go.
    public func giveBack(_ buffer: consuming [UInt8]) {
        if buffer.count == LoopCore.bufferSize, buffers.count < LoopCore.keptBuffers {
            buffers.append(buffer)
        }
    }

    /// Runs `hook` at the end of every pass (log buffers).
    public func atPassEnd(_ hook: @escaping () -> Void) { passEndHooks.append(hook) }

    func endPass() {
        for hook in passEndHooks { hook() }
    }

    /// Waits until the loop has looked at its sockets: for whoever could go on for ever.
    public func nextPass() async {
        let signal = Signal()
        waitingForPass.append(signal)
        await signal.wait()
    }

    func timeout() -> Int32 { waitingForPass.isEmpty ? timers.timeout(from: now) : 0 }

    private func tell(_ count: Int) {
        for index in 0..<count {
            guard let (target, events) = poller.event(index) else { continue }
            target.ready(events)
        }
    }

    /// Waits for events and tells their targets; then fires timers.
    func poll(_ timeout: Int32) {
        let count = poller.waitForEvents(timeout)
        now = .now()
        tell(count)
        let due = timers.advance(to: now)
        if !due.isEmpty {
            // What came before this moment is told before a deadline that has passed by now: the process
            // may have been stopped just after the wait.
            tell(poller.waitForEvents(0))
            for timer in due where timer.deadline <= now { timer.onExpiry?() }
        }
        if waitingForPass.isEmpty { return }
        let waiting = waitingForPass
        waitingForPass.removeAll(keepingCapacity: true)
        for signal in waiting { signal.raise() }
    }
}
