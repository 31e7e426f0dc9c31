import CLinux
public import GatehouseBase
import Glibc
import Synchronization

/// Lines to a file whose reader may stall: nobody who writes ever waits for it.
///
/// What there is room for is written at once, so that lines stand there even when the process dies
/// in the next moment. The rest waits for a thread of its own, up to a limit; beyond it whole lines
/// are lost and counted, and a line in their place says how many.
public final class LineQueue: Sendable {
    /// Makes the line that tells how many were lost.
    public typealias LossLine = @Sendable (Int) -> [UInt8]

    private enum Kind { case file, pipe, socket, terminal }

    private struct State {
        /// Lines that wait for the thread.
        var pending: [UInt8] = []
        /// Whether the thread has some in its hand.
        var isWriting = false
        /// The eventfd that wakes the thread; there is none before it is needed.
        var wakeUp: Int32 = -1
        /// Whether the kernel writes without waiting.
        var writesAtOnce: Bool
        /// Lines lost after the last one that waits.
        var lost = 0
        var lostInAll = 0
        var lossLine: LossLine = { Array("\($0) lines were lost: nobody read them\n".utf8) }

        var isBehind: Bool { isWriting || !pending.isEmpty || lost > 0 }
    }

    private let file: Int32
    private let limit: Int
    private let kind: Kind
    private let state: Locked<State>

    /// - Parameters:
    ///   - file: a descriptor that stays open.
    ///   - limit: bytes that wait at most; as many again may be in the thread's hand.
    public init(_ file: Int32, limit: Int = 1 << 20) {
        self.file = file
        self.limit = limit
        kind = LineQueue.kind(of: file)
        state = Locked(State(writesAtOnce: kind == .pipe || kind == .socket))
    }

    private static func kind(of file: Int32) -> Kind {
        var info = stat()
        // Sound: the kernel fills the structure.
        guard unsafe fstat(file, &info) == 0 else { return .file }
        switch info.st_mode & S_IFMT {
        case S_IFIFO: return .pipe
        case S_IFSOCK: return .socket
        case S_IFCHR where isatty(file) != 0: return .terminal
        default: return .file
        }
    }

    /// Whether two descriptors name the same pipe, socket or terminal.
    public static func areSame(_ one: Int32, _ other: Int32) -> Bool {
        var (first, second) = (stat(), stat())
        // Sound: the kernel fills the structures.
        guard unsafe fstat(one, &first) == 0, unsafe fstat(other, &second) == 0 else {
            return false
        }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    /// Lines that were lost so far because nobody read.
    public var lostCount: Int { state.withLock { $0.lostInAll } }

    /// Says how a loss is told.
    public func tellLoss(_ line: @escaping LossLine) { state.withLock { $0.lossLine = line } }

    /// Writes whole lines, now or later, and never waits; where nobody reads they are lost.
    public func write(_ lines: [UInt8]) {
        // A disk has no reader that could stall.
        if kind == .file { return writeAll(lines) }
        let wakeUp: Int32? = state.withLock { state in
            var rest = lines[...]
            if !state.isBehind {
                rest = rest.dropFirst(writeNow(rest, &state))
                if rest.isEmpty { return nil }
            } else if state.lost > 0 || state.pending.count + lines.count > limit {
                let count = lines.count { $0 == 0x0A }
                state.lost += count
                state.lostInAll += count
                return nil
            }
            state.pending.append(contentsOf: rest)
            if state.wakeUp < 0 { startThread(&state) }
            return state.isWriting ? nil : state.wakeUp
        }
        guard let wakeUp else { return }
        var one: UInt64 = 1
        // Sound: eight bytes, as an eventfd wants.
        _ = unsafe Glibc.write(wakeUp, &one, 8)
    }

    /// Waits until everything has come out, at most until `deadline`.
    public func finish(by deadline: Instant) {
        while state.withLock({ $0.isBehind }), Instant.now() < deadline { usleep(1000) }
    }

    /// - Returns: how many bytes are done with.
    private func writeNow(_ bytes: ArraySlice<UInt8>, _ state: inout State) -> Int {
        guard state.writesAtOnce else { return 0 }
        while true {
            // Sound: the kernel reads the bytes of the slice only.
            let count = unsafe bytes.withUnsafeBytes { raw in
                kind == .socket
                    ? unsafe send(
                        file, raw.baseAddress, raw.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
                    : unsafe gh_write_at_once(file, raw.baseAddress, raw.count)
            }
            if count >= 0 { return count }
            switch gh_errno() {
            case EINTR: continue
            case EAGAIN: return 0
            case EOPNOTSUPP, ENOSYS, EINVAL:
                state.writesAtOnce = false
                return 0
            default: return bytes.count
            }
        }
    }

    // MARK: The thread

    private func startThread(_ state: inout State) {
        state.wakeUp = eventfd(0, Int32(EFD_CLOEXEC))
        guard state.wakeUp >= 0 else { return }
        guard DetachedThread.start({ self.drain() }) == 0 else {
            close(state.wakeUp)
            state.wakeUp = -1
            return
        }
    }

    private func drain() {
        let wakeUp = state.withLock { $0.wakeUp }
        while true {
            var count: UInt64 = 0
            // Sound: eight bytes, as an eventfd gives.
            _ = unsafe read(wakeUp, &count, 8)
            while let lines = next() { writeAll(lines) }
        }
    }

    /// What the thread is to write now; behind it stands the word of what was lost.
    private func next() -> [UInt8]? {
        state.withLock { state in
            state.isWriting = !state.pending.isEmpty || state.lost > 0
            guard state.isWriting else { return nil }
            let lines = state.pending
            state.pending = state.lost > 0 ? state.lossLine(state.lost) : []
            state.lost = 0
            return lines
        }
    }

    /// Waits for the reader.
    private func writeAll(_ lines: [UInt8]) {
        var rest = lines[...]
        while !rest.isEmpty {
            // Sound: the kernel reads the bytes of the slice only.
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch gh_errno() {
            case EINTR: continue
            case EAGAIN:
                // Whoever started us has made it so.
                var one = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                // Sound: one structure, as the count says.
                _ = unsafe poll(&one, 1, 1000)
            default: return
            }
        }
    }
}
