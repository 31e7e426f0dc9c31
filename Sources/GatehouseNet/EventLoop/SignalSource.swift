import CLinux
import Glibc

/// Signals of the process as something to wait for, on one loop.
public final class SignalSource: Pollable {
    private let file: Int32
    private var pending: [Int32] = []
    private let arrived = Signal()

    /// Blocks `signals` for this thread and those it starts: to be called before any other thread.
    public static func block(_ signals: [Int32]) {
        var set = mask(signals)
        // Sound: the kernel copies the set.
        _ = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        _ = signal(SIGPIPE, SIG_IGN)
    }

    public init(_ signals: [Int32], core: LoopCore) {
        var set = SignalSource.mask(signals)
        // Sound: as above.
        file = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        super.init()
        precondition(file >= 0, "signalfd failed: \(gh_errno())")
        core.poller.add(file, self, events: Poller.readable)
    }

    private static func mask(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        // Sound: sigset_t is ours.
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        return set
    }

    override func ready(_ events: UInt32) {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        // Sound: the kernel writes whole records of this size.
        while unsafe read(file, &info, size) == size { pending.append(Int32(info.ssi_signo)) }
        if !pending.isEmpty { arrived.raise() }
    }

    /// The next signal.
    public func next() async -> Int32 {
        while pending.isEmpty { await arrived.wait() }
        return pending.removeFirst()
    }
}
