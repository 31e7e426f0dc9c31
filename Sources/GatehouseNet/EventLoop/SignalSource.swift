import CLinux
import Glibc
import Synchronization

/// Signals of the process as something to wait for, on one loop.
///
/// A handler writes the number into a pipe. (signalfd would need the signals blocked in every
/// thread, and libdispatch, which starts threads for the main actor, unblocks them in its own.)
public final class SignalSource: Pollable {
    private static let readingEnd = Atomic<Int32>(-1)
    private static let writingEnd = Atomic<Int32>(-1)

    private let file: Int32
    private var pending: [Int32] = []
    private let arrived = Signal()

    /// What was taken over with ``takeOver(_:)`` before, on this loop.
    public init(core: LoopCore) {
        file = SignalSource.readingEnd.load(ordering: .acquiring)
        precondition(file >= 0, "no signals were taken over")
        super.init()
        core.poller.add(file, self, events: Poller.readable)
    }

    /// Takes over `signals` for the whole process: once, and before anything is served, since what
    /// comes later than that must not end the process by itself (and as process 1 of a container
    /// would be lost). What comes from now on is kept until ``next()``. SIGPIPE and SIGXFSZ are
    /// ignored, for the writes fail anyhow, and so is SIGUSR1, at which node opens its debugger and
    /// goes on.
    public static func takeOver(_ signals: [Int32]) {
        var ends: [Int32] = [-1, -1]
        // Sound: the kernel writes two descriptors.
        let result = unsafe pipe(&ends)
        if result != 0 { ProcessLimits.giveUp("no pipe for signals", gh_errno()) }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        readingEnd.store(ends[0], ordering: .releasing)
        writingEnd.store(ends[1], ordering: .releasing)
        for number in signals {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                // Sound: write(2) may be called in a handler; the byte is the handler's own.
                _ = unsafe write(SignalSource.writingEnd.load(ordering: .acquiring), &byte, 1)
            }
        }
        for number in [SIGPIPE, SIGXFSZ, SIGUSR1] { signal(number, SIG_IGN) }
    }

    override func ready(_ events: UInt32) {
        var bytes = [UInt8](repeating: 0, count: 64)
        while true {
            // Sound: the kernel writes at most `bytes.count` bytes.
            let count = unsafe read(file, &bytes, bytes.count)
            guard count > 0 else { break }
            pending.append(contentsOf: bytes[..<count].map(Int32.init))
        }
        if !pending.isEmpty { arrived.raise() }
    }

    /// The next signal.
    public func next() async -> Int32 {
        while pending.isEmpty { await arrived.wait() }
        return pending.removeFirst()
    }
}
