import CLinux
public import GatehouseBase
import Glibc

/// Told when a socket's peer hangs up, and when a socket that nobody waits for has something.
public protocol SocketWatcher: AnyObject {
    /// - Parameter hungUp: the peer closed or reset; false: there are bytes to read.
    func socketIsReady(hungUp: Bool)
}

/// What a read that does not wait came to.
public enum ReadResult: Equatable {
    case bytes(Int)
    case end
    case wouldBlock
}

/// A connected socket on its loop: edge-triggered, with remembered readiness and deadlines.
///
/// `tryRead` and `tryWrite` never wait; `waitReadable` and `waitWritable` do, until the event or
/// the deadline. One task may wait in each direction.
public final class Socket: Pollable {
    public let core: LoopCore
    private var file: Int32
    private let reading = Signal()
    private let writing = Signal()
    /// False after a short read: the next read would find nothing, the next event says otherwise.
    private var mayRead = true
    private var mayWrite: Bool
    /// The peer has closed or reset; kept even if nobody read that far yet.
    public private(set) var isHungUp = false
    private var failure: StreamError?
    /// The peer takes no more; what it has said before can still be read.
    private var writeFailure: StreamError?
    private var timer: LoopTimer?
    /// Kept until ``close()``: an object that is referred to weakly is slower to retain, every time.
    public var watcher: (any SocketWatcher)?

    /// When a wait for bytes ends with `timedOut`.
    public var readDeadline = Instant.never {
        didSet { if readDeadline < oldValue || readDeadline < timerTarget { armTimer() } }
    }
    /// When a wait for room ends with `timedOut`.
    public var writeDeadline = Instant.never {
        didSet { if writeDeadline < oldValue || writeDeadline < timerTarget { armTimer() } }
    }
    private var timerTarget = Instant.never

    /// Takes over a connected or connecting descriptor.
    public init(_ descriptor: consuming Descriptor, core: LoopCore, isConnecting: Bool = false) {
        self.core = core
        mayWrite = !isConnecting
        file = descriptor.release()
        super.init()
        core.poller.add(
            file, self,
            events: Poller.readable | Poller.writable | EPOLLRDHUP.rawValue)
    }

    /// Its two addresses; nil where it is closed, or not connected.
    public var ends: (local: Address, peer: Address)? {
        guard let local = Binding.localAddress(file), let peer = Binding.peerAddress(file) else {
            return nil
        }
        return (local, peer)
    }

    deinit { precondition(file < 0, "a socket was not closed") }

    public var isOpen: Bool { file >= 0 }

    /// Whether an event came since a read last found nothing: for idle connections, whether they
    /// are to be thrown away.
    public var hasUnreadEvent: Bool { mayRead }

    // MARK: Reading and writing

    /// Reads what there is into the free room of `buffer`, which must have some.
    public func tryRead(_ buffer: inout ByteBuffer) throws(StreamError) -> ReadResult {
        if let failure { throw failure }
        guard mayRead else { return .wouldBlock }
        let room = buffer.writableCount
        while true {
            // Sound: the kernel writes at most the room that it is given.
            let count = unsafe buffer.write { unsafe recv(file, $0.baseAddress, $0.count, 0) }
            if count > 0 {
                // Less than asked for: there is no more, unless the end is to be read.
                if count < room, !isHungUp { mayRead = false }
                return .bytes(count)
            }
            if count == 0 { return .end }
            let code = gh_errno()
            if code == EINTR { continue }
            if code == EAGAIN {
                mayRead = false
                return .wouldBlock
            }
            throw fail(code)
        }
    }

    /// Writes from the front of `buffer`, and takes out what the kernel took.
    /// - Returns: whether all was written; if not, wait for ``waitWritable()``.
    public func tryWrite(_ buffer: inout ByteBuffer) throws(StreamError) -> Bool {
        if let failure = failure ?? writeFailure { throw failure }
        while !buffer.isEmpty {
            guard mayWrite else { return false }
            let wanted = buffer.count
            // Sound: the kernel reads the readable bytes only.
            let count = unsafe buffer.readable.withUnsafeBytes {
                unsafe send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                buffer.consume(count)
                if count < wanted { mayWrite = false }
                continue
            }
            let code = gh_errno()
            if code == EINTR { continue }
            if code == EAGAIN {
                mayWrite = false
                return false
            }
            guard code == ECONNRESET || code == EPIPE else { throw fail(code) }
            writeFailure = .reset
            throw .reset
        }
        return true
    }

    /// Waits until a read may find something.
    public func waitReadable() async throws(StreamError) {
        while failure == nil, !mayRead {
            await reading.wait()
        }
        if let failure { throw failure }
    }

    /// Waits until a write may find room.
    public func waitWritable() async throws(StreamError) {
        while failure == nil, writeFailure == nil, !mayWrite {
            await writing.wait()
        }
        if let failure = failure ?? writeFailure { throw failure }
    }

    private func fail(_ code: Int32) -> StreamError {
        let error: StreamError =
            switch code {
            case ECONNRESET, EPIPE: .reset
            case ECONNREFUSED: .refused
            case ETIMEDOUT: .timedOut
            default: .system(code)
            }
        if failure == nil { failure = error }
        return error
    }

    // MARK: Events

    override func ready(_ events: UInt32) {
        let hungUp = events & Poller.hangUp != 0
        if hungUp { isHungUp = true }
        if events & Poller.readable != 0 || hungUp {
            mayRead = true
            let isAwaited = reading.isWaiting
            reading.raise()
            if hungUp || !isAwaited { watcher?.socketIsReady(hungUp: hungUp) }
        }
        if events & Poller.writable != 0 || hungUp {
            mayWrite = true
            writing.raise()
        }
    }

    // MARK: Deadlines

    private func armTimer() {
        let target = min(readDeadline, writeDeadline)
        guard target < timerTarget, isOpen else { return }
        timerTarget = target
        let timer = self.timer ?? LoopTimer { self.timerFired() }
        self.timer = timer
        core.set(timer, to: target)
    }

    private func timerFired() {
        timerTarget = .never
        let now = core.now
        // What is late fails only if somebody waits for it: a deadline left standing hurts nobody.
        if readDeadline <= now, reading.isWaiting { return expire() }
        if writeDeadline <= now, writing.isWaiting { return expire() }
        let later = min(
            readDeadline > now ? readDeadline : .never,
            writeDeadline > now ? writeDeadline : .never)
        guard later != .never else { return }
        timerTarget = later
        if let timer { core.set(timer, to: later) }
    }

    private func expire() {
        if failure == nil { failure = .timedOut }
        wakeAll()
    }

    /// Remembered where nobody is parked: a wait that has looked and not yet parked sees it too.
    private func wakeAll() {
        reading.raise()
        writing.raise()
    }

    /// Lets a wait for bytes return although there are none: its caller looks around.
    public func interruptRead() {
        mayRead = true
        reading.raise()
    }

    /// Lets a wait for room return although there is none.
    public func interruptWrite() {
        mayWrite = true
        writing.raise()
    }

    // MARK: Ends

    /// Makes every pending and later call throw; the owner closes.
    public func abort(_ error: StreamError = .aborted) {
        guard failure == nil else { return }
        failure = error
        wakeAll()
    }

    /// Forgets a time-out, to send one last answer.
    public func forgiveTimeout() {
        guard failure == .timedOut else { return }
        failure = nil
        readDeadline = .never
        writeDeadline = .never
    }

    /// Says that no more will be sent; the peer reads an end.
    public func shutdownWrite() {
        if file >= 0 { shutdown(file, Int32(SHUT_WR)) }
    }

    /// Lets the close that follows throw away what the kernel still holds: the peer sees a reset.
    public func resetOnClose() {
        guard file >= 0 else { return }
        var option = linger(l_onoff: 1, l_linger: 0)
        // Sound: the kernel copies the option.
        _ = unsafe setsockopt(
            file, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Aborts with a reset, now: nothing that the kernel still holds goes out.
    public func resetNow() {
        resetOnClose()
        abort(.reset)
        if file >= 0 {
            // A connect to AF_UNSPEC resets at once and leaves the descriptor to its owner.
            var nowhere = sockaddr()
            nowhere.sa_family = sa_family_t(AF_UNSPEC)
            // Sound: the kernel reads the family only.
            _ = unsafe connect(file, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
        }
    }

    /// Closes the descriptor. Pending calls must have ended or end now.
    public func close() {
        guard file >= 0 else { return }
        if let timer { core.cancel(timer) }
        timer = nil
        watcher = nil
        core.poller.remove(file)
        Glibc.close(file)
        file = -1
        abort(.closed)
    }

    // MARK: Options

    func setOption(_ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        // Sound: the kernel copies the option.
        _ = unsafe setsockopt(file, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// No Nagle; and keep-alive probes (15 s × 9), so that a peer that vanished is found.
    func setStreamOptions() {
        setOption(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        setOption(SOL_SOCKET, SO_KEEPALIVE, 1)
        setOption(Int32(IPPROTO_TCP), TCP_KEEPIDLE, 15)
        setOption(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15)
        setOption(Int32(IPPROTO_TCP), TCP_KEEPCNT, 9)
    }

    /// The pending error of a connect that has ended.
    func takeConnectError() -> StreamError? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        // Sound: the kernel writes one Int32.
        _ = unsafe getsockopt(file, SOL_SOCKET, SO_ERROR, &code, &length)
        return code == 0 ? nil : fail(code)
    }

    /// Waits for a connect that is under way.
    func waitConnected() async throws(StreamError) {
        try await waitWritable()
        if let error = takeConnectError() { throw error }
    }
}
