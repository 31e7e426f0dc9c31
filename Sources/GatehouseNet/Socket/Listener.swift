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
        if waiting.isWaiting { waiting.raise() }
    }

    /// Stops taking connections; what the kernel has queued is reset.
    public func close() {
        guard file >= 0 else { return }
        core.poller.remove(file)
        Glibc.close(file)
        file = -1
        if waiting.isWaiting { waiting.raise() }
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

/// Why an address cannot be listened on.
public struct ListenError: Error, Sendable {
    public let address: String
    public let reason: String

    public init(address: String, reason: String) {
        self.address = address
        self.reason = reason
    }
}

/// Makes bound and listening descriptors.
public enum Binding {
    /// Binds one descriptor per loop. With several or one, a bind without SO_REUSEPORT first shows
    /// whether the port is taken, also by another process of ours. Port 0: the first one's port
    /// is what the others bind.
    /// - Returns: the descriptors and the address with its real port.
    public static func tcp(
        _ address: Address, count: Int
    ) throws(ListenError) -> (files: [Int32], address: Address) {
        var files: [Int32] = []
        if address.port != 0 {
            let probe = Descriptor(try bind(address, reusePort: false))
            _ = probe
        }
        var bound = address
        do throws(ListenError) {
            for index in 0..<count {
                let file = try bind(bound, reusePort: true)
                files.append(file)
                if index == 0 { bound = localAddress(file) ?? bound }
                guard listen(file, 4096) == 0 else {
                    throw ListenError(address: bound.description, reason: message(gh_errno()))
                }
            }
        } catch {
            for file in files { Glibc.close(file) }
            throw error
        }
        return (files, bound)
    }

    /// Binds a UNIX socket, shared by all loops. A stale file is replaced; one that answers is an
    /// error.
    public static func unix(_ path: String, count: Int) throws(ListenError) -> [Int32] {
        guard let address = Address(path: path) else {
            throw ListenError(address: path, reason: "no path of a UNIX socket")
        }
        let probe = socket(AF_UNIX, gh_SOCK_STREAM_FLAGS, 0)
        // Sound: the kernel copies the address.
        let answered = unsafe address.withSockaddr { unsafe connect(probe, $0, $1) } == 0
        Glibc.close(probe)
        guard !answered else {
            throw ListenError(address: "unix:\(path)", reason: "the address is in use")
        }
        // Sound: the kernel reads the path as a C string.
        _ = unsafe unlink(path)
        let file = try bind(address, reusePort: false)
        guard listen(file, 4096) == 0 else {
            throw ListenError(address: "unix:\(path)", reason: message(gh_errno()))
        }
        return [file] + (1..<max(1, count)).map { _ in fcntl(file, F_DUPFD_CLOEXEC, 0) }
    }

    private static func bind(_ address: Address, reusePort: Bool) throws(ListenError) -> Int32 {
        let file = socket(address.family, gh_SOCK_STREAM_FLAGS, 0)
        guard file >= 0 else {
            throw ListenError(address: address.description, reason: message(gh_errno()))
        }
        var one: Int32 = 1
        var zero: Int32 = 0
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Sound: the kernel copies the options and the address.
        _ = unsafe setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, size)
        if reusePort { _ = unsafe setsockopt(file, SOL_SOCKET, SO_REUSEPORT, &one, size) }
        if address.family == AF_INET6 {
            _ = unsafe setsockopt(file, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &zero, size)
        }
        let result = unsafe address.withSockaddr { unsafe Glibc.bind(file, $0, $1) }
        guard result == 0 else {
            let reason = message(gh_errno())
            Glibc.close(file)
            throw ListenError(address: address.description, reason: reason)
        }
        return file
    }

    private static func localAddress(_ file: Int32) -> Address? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // Sound: the kernel writes at most `length` bytes of the storage.
        return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard unsafe getsockname(file, $0, &length) == 0 else { return nil }
                return unsafe Address($0, length)
            }
        }
    }

    static func message(_ code: Int32) -> String {
        switch code {
        case EADDRINUSE: "the address is in use"
        case EACCES: "permission denied (ports below 1024 need CAP_NET_BIND_SERVICE)"
        case EADDRNOTAVAIL: "this machine does not have the address"
        case EAFNOSUPPORT: "this machine has no IPv6"
        // Sound: strerror's text is copied at once.
        default: unsafe String(cString: strerror(code))
        }
    }
}
