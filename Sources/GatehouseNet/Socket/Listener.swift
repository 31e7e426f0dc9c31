import CLinux
import GatehouseBase
import Glibc

/// A listening socket. TCP: one per loop with SO_REUSEPORT. UNIX: one, shared by `dup`.
public final class Listener: Pollable {
    private let core: LoopCore
    private var file: Int32
    private var mayAccept = true
    private let waiting = Signal()
    private var retry: LoopTimer?

    /// Registers a bound and listening descriptor with a loop.
    public init(_ descriptor: consuming Descriptor, core: LoopCore) {
        self.core = core
        file = descriptor.release()
        super.init()
        core.poller.add(file, self, events: Poller.readable | gh_EPOLLEXCLUSIVE)
    }

    deinit { precondition(file < 0, "a listener was not closed") }

    override func ready(_ events: UInt32) {
        mayAccept = true
        waiting.raise()
    }

    /// Stops taking connections; what the kernel has queued is reset.
    public func close() {
        guard file >= 0 else { return }
        core.poller.remove(file)
        Glibc.close(file)
        file = -1
        waiting.raise()
    }

    /// The next connection; nil when the listener is closed.
    public func accept() async -> (socket: Socket, peer: Address)? {
        while file >= 0 {
            if mayAccept {
                if let accepted = acceptNow() { return accepted }
                continue
            }
            await waiting.wait()
        }
        return nil
    }

    private func acceptNow() -> (socket: Socket, peer: Address)? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // Sound: the kernel writes at most `length` bytes of the storage.
        let accepted = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe accept4(file, $0, &length, gh_SOCK_NONBLOCK_CLOEXEC)
            }
        }
        guard accepted >= 0 else {
            let code = gh_errno()
            if code == EAGAIN { mayAccept = false }
            // Out of descriptors or memory: pause, never a busy loop.
            if code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM { pause() }
            return nil
        }
        let socket = Socket(Descriptor(accepted), core: core)
        let peer = unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Address($0, max(length, 2))
            }
        }
        guard let peer else {
            socket.close()
            return nil
        }
        if peer.family != AF_UNIX { socket.setStreamOptions() }
        return (socket, peer)
    }

    private func pause() {
        mayAccept = false
        let timer = LoopTimer { [weak self] in self?.ready(0) }
        retry = timer
        core.set(timer, to: .now() + .milliseconds(100))
    }
}
