import CLinux
import Glibc
import Synchronization

/// Signals of the process as something to wait for, on one loop.
///
/// A handler writes the number into a pipe. (signalfd would need the signals blocked in every
/// thread, and libdispatch, which starts threads for the main actor, unblocks them in its own.)
public final class SignalSource: Pollable {
    private static let writingEnd = Atomic<Int32>(-1)

    private let file: Int32
    private var pending: [Int32] = []
    private let arrived = Signal()

    /// Takes over `signals` for the whole process: once. What comes from now on is kept until
    /// ``next()``; SIGPIPE is ignored.
    public init(_ signals: [Int32], core: LoopCore) {
        file = SignalSource.catchSignals(signals)
        super.init()
        core.poller.add(file, self, events: Poller.readable)
    }

    private static func catchSignals(_ signals: [Int32]) -> Int32 {
        var ends: [Int32] = [-1, -1]
        // Sound: the kernel writes two descriptors.
        let result = unsafe pipe(&ends)
        precondition(result == 0, "pipe failed: \(gh_errno())")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        writingEnd.store(ends[1], ordering: .releasing)
        for number in signals {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                // Sound: write(2) may be called in a handler; the byte is the handler's own.
                _ = unsafe write(SignalSource.writingEnd.load(ordering: .acquiring), &byte, 1)
            }
        }
        signal(SIGPIPE, SIG_IGN)
        return ends[0]
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
