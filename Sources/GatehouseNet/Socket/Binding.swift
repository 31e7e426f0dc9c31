import CLinux
import Glibc

/// Makes bound and listening descriptors.
public enum Binding {
    /// Binds one descriptor per loop. With several or one, a bind without SO_REUSEPORT first shows
    /// whether the port is taken, also by another process of ours. Port 0: the first one's port
    /// is what the others bind. Everywhere (`::`) is everywhere in IPv4 on a machine without IPv6.
    ///
    /// - Parameter open: makes a socket; a test has machines of its own.
    /// - Returns: the descriptors and the address with its real port.
    public static func tcp(
        _ address: Address, count: Int, open: Opening = Binding.open
    ) throws(ListenError) -> (files: [Int32], address: Address) {
        var files: [Int32] = []
        var bound = address
        if let four = address.everywhereInIPv4, !hasIPv6(address, open) { bound = four }
        if address.port != 0 {
            let probe = Descriptor(try bind(bound, reusePort: false, open))
            _ = probe
        }
        do throws(ListenError) {
            for index in 0..<count {
                let file = try bind(bound, reusePort: true, open)
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

    /// Binds a UNIX socket, shared by all loops; its mode follows the umask. A file that nobody
    /// answers for is replaced; one that answers, or that is no socket, stays and is an error.
    /// - Returns: the descriptors, and the file to remove at the end.
    public static func unix(
        _ path: String, count: Int
    ) throws(ListenError) -> (files: [Int32], file: UnixSocketFile) {
        let (descriptor, file) = try UnixSocketFile.bind(path)
        var files = [descriptor]
        while files.count < count {
            let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else {
                let reason = message(gh_errno())
                for file in files { Glibc.close(file) }
                file.remove()
                throw ListenError(address: "unix:\(path)", reason: reason)
            }
            files.append(copy)
        }
        return (files, file)
    }

    /// Makes a socket of a family and with flags, as `socket(2)` does.
    public typealias Opening = (_ family: Int32, _ flags: Int32) -> Int32

    /// As the machine is.
    public static func open(_ family: Int32, _ flags: Int32) -> Int32 {
        Glibc.socket(family, flags, 0)
    }

    /// Whether the machine knows IPv6 and has any address of it.
    private static func hasIPv6(_ everywhere: Address, _ open: Opening) -> Bool {
        let file = open(AF_INET6, gh_SOCK_STREAM_FLAGS)
        guard file >= 0 else { return gh_errno() != EAFNOSUPPORT }
        defer { Glibc.close(file) }
        // At any port, so that one that is taken says nothing about the family.
        let address = everywhere.withPort(0)
        // Sound: the kernel copies the address.
        let result = unsafe address.withSockaddr { unsafe Glibc.bind(file, $0, $1) }
        return result == 0 || gh_errno() != EADDRNOTAVAIL
    }

    private static func bind(
        _ address: Address, reusePort: Bool, _ open: Opening
    ) throws(ListenError) -> Int32 {
        let file = open(address.family, gh_SOCK_STREAM_FLAGS)
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

    /// Where a socket is bound.
    static func localAddress(_ file: Int32) -> Address? {
        // Sound: the kernel writes at most the bytes that it is told of.
        unsafe address { unsafe getsockname(file, $0, $1) }
    }

    /// Where a connected socket leads to.
    static func peerAddress(_ file: Int32) -> Address? {
        // Sound: as above.
        unsafe address { unsafe getpeername(file, $0, $1) }
    }

    private static func address(
        _ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Address? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // Sound: the kernel writes at most `length` bytes of the storage.
        return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard unsafe ask($0, &length) == 0 else { return nil }
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
