import CLinux
import Glibc

/// The file of a UNIX socket that we listen on. It is removed by who bound it, and only while it
/// is still the same file: another process may have put its own there.
///
/// Starts and ends of Gatehouse in one folder follow each other, by a lock (flock) on the folder
/// that leaves no file behind. So between the look at a file and its removal no other Gatehouse
/// binds there, and none is seen bound that does not listen yet. Who holds the lock for longer than
/// ``patience`` (in a folder that all may read, anybody can) or a folder that we may not read
/// does not keep us from starting: then only that order is missing.
public final class UnixSocketFile: Sendable {
    /// How long another start is waited for.
    static let patience = 1_000

    public let path: String
    /// Keeps the inode, so that its number names no other file while we compare.
    private let held: Int32

    private init(path: String, held: Int32) {
        self.path = path
        self.held = held
    }

    deinit { if held >= 0 { close(held) } }

    /// Removes the file if it is still the one that was bound; for the end of the process, from
    /// any thread, more than once if need be.
    public func remove() {
        let lock = UnixSocketFile.lockFolder(of: path)
        defer { if lock >= 0 { close(lock) } }
        guard let ours = UnixSocketFile.identity(of: held), let there = Identity(path: path),
            ours == there
        else { return }
        // Sound: the kernel reads the path as a C string.
        _ = unsafe unlink(path)
    }

    // MARK: Binding

    /// A descriptor that listens at `path`, and its file.
    static func bind(
        _ path: String
    ) throws(ListenError) -> (descriptor: Int32, file: UnixSocketFile) {
        guard let address = Address(path: path) else {
            let count = path.utf8.count
            let reason =
                count > Address.maximumPath
                ? "the path has \(count) bytes, a UNIX socket's at most \(Address.maximumPath)"
                : "this is no path of a UNIX socket"
            throw ListenError(address: "unix:\(path)", reason: reason)
        }
        let lock = lockFolder(of: path)
        defer { if lock >= 0 { close(lock) } }
        try removeStale(path, address)
        let descriptor = socket(AF_UNIX, gh_SOCK_STREAM_FLAGS, 0)
        guard descriptor >= 0 else { throw failure(path, gh_errno()) }
        // Sound: the kernel copies the address.
        let isBound = unsafe address.withSockaddr { unsafe Glibc.bind(descriptor, $0, $1) } == 0
        guard isBound, listen(descriptor, 4096) == 0 else {
            let code = gh_errno()
            close(descriptor)
            // Sound: the kernel reads the path as a C string. We made the file a moment ago.
            if isBound { _ = unsafe unlink(path) }
            throw failure(path, code)
        }
        // Sound: the kernel reads the path as a C string.
        let held = unsafe open(path, gh_O_PATH_FLAGS)
        return (descriptor, UnixSocketFile(path: path, held: held))
    }

    /// Removes a socket that nobody answers for; what is anything else stays.
    private static func removeStale(_ path: String, _ address: Address) throws(ListenError) {
        guard let there = Identity(path: path) else { return }
        guard there.isSocket else {
            throw ListenError(
                address: "unix:\(path)", reason: "there is a file that is no socket; it stays")
        }
        let probe = Descriptor(socket(AF_UNIX, gh_SOCK_STREAM_FLAGS, 0))
        // Sound: the kernel copies the address.
        let result = unsafe address.withSockaddr { unsafe connect(probe.number, $0, $1) }
        let code = gh_errno()
        // EAGAIN is a server whose queue is full; EPROTOTYPE one of datagrams.
        if result == 0 || code == EAGAIN || code == EPROTOTYPE {
            throw ListenError(address: "unix:\(path)", reason: "a running server answers there")
        }
        guard code == ECONNREFUSED else {
            if code == ENOENT { return }
            throw failure(path, code)
        }
        // Sound: the kernel reads the path as a C string.
        guard unsafe unlink(path) == 0 || gh_errno() == ENOENT else {
            throw ListenError(
                address: "unix:\(path)",
                reason: "a stale socket is there and cannot be removed: "
                    + Binding.message(gh_errno()))
        }
    }

    private static func failure(_ path: String, _ code: Int32) -> ListenError {
        let reason =
            switch code {
            case EACCES, EPERM: "permission denied"
            case ENOENT: "the folder does not exist"
            case EADDRINUSE: "another process has just taken it"
            default: Binding.message(code)
            }
        return ListenError(address: "unix:\(path)", reason: reason)
    }

    // MARK: Files

    /// Which file it is.
    private struct Identity: Equatable {
        let device: UInt
        let inode: UInt
        let isSocket: Bool

        init(_ info: stat) {
            device = UInt(info.st_dev)
            inode = UInt(info.st_ino)
            isSocket = info.st_mode & S_IFMT == S_IFSOCK
        }

        /// Links are not followed.
        init?(path: String) {
            var info = stat()
            // Sound: the kernel reads the path as a C string and fills the structure.
            guard unsafe lstat(path, &info) == 0 else { return nil }
            self.init(info)
        }
    }

    private static func identity(of file: Int32) -> Identity? {
        var info = stat()
        // Sound: the kernel fills the structure.
        guard unsafe fstat(file, &info) == 0 else { return nil }
        return Identity(info)
    }

    /// Locks the folder of `path`; -1 where that cannot be done in time.
    private static func lockFolder(of path: String) -> Int32 {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        // Sound: the kernel reads the path as a C string.
        let file = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { return -1 }
        for _ in 0..<patience / 5 {
            if flock(file, LOCK_EX | LOCK_NB) == 0 { return file }
            usleep(5_000)
        }
        close(file)
        return -1
    }
}
