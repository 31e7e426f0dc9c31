import Glibc

/// Small files with secrets: read whole, created for their owner alone.
public enum SecretFile {
    /// Why a file could not be read or made.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let path: String
        public let description: String
        /// Whether there simply is no such file.
        public let isMissing: Bool
    }

    /// What is said of a FIFO, a device, a folder: reading one could wait for ever.
    private static let isOther = "it is no regular file"

    /// Reads a regular file of at most `limit` bytes.
    public static func read(_ path: String, limit: Int = 1 << 20) throws(Failure) -> [UInt8] {
        // Sound: the kernel reads the path as a C string. A FIFO is not waited for.
        let file = unsafe open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        var status = stat()
        // Sound: the kernel fills the structure.
        guard unsafe fstat(file, &status) == 0 else { throw failure(path) }
        guard isRegular(status) else {
            throw Failure(path: path, description: isOther, isMissing: false)
        }
        return try contents(of: file, path, limit)
    }

    /// Reads standard input to its end, whatever it is.
    public static func readStandardInput(limit: Int = 1 << 20) throws(Failure) -> [UInt8] {
        try contents(of: STDIN_FILENO, "-", limit)
    }

    private static func contents(
        of file: Int32, _ path: String, _ limit: Int
    ) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            // Sound: the kernel writes at most `chunk.count` bytes.
            let count = unsafe Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= limit else {
                throw Failure(
                    path: path, description: "larger than \(limit) bytes", isMissing: false)
            }
        }
    }

    /// Why a file that somebody else reads, such as a library, cannot be read without waiting: what
    /// is no regular file is not opened. Nil where there is none, too: whoever reads it says so.
    public static func refusal(_ path: String) -> String? {
        var status = stat()
        // Sound: the kernel fills the structure.
        guard unsafe stat(path, &status) == 0 else { return nil }
        return isRegular(status) ? nil : isOther
    }

    /// What stands at a path.
    public enum Standing: Sendable {
        case nothing, directory, other
    }

    public static func standing(at path: String) -> Standing {
        var status = stat()
        // Sound: the kernel fills the structure.
        guard unsafe stat(path, &status) == 0 else { return .nothing }
        return status.st_mode & S_IFMT == S_IFDIR ? .directory : .other
    }

    private static func isRegular(_ status: stat) -> Bool {
        status.st_mode & S_IFMT == S_IFREG
    }

    /// Creates a file with mode 0600, whole and on disk when this returns; one that is there stays.
    ///
    /// It has another name until it is whole, so that neither a full disk nor a kill leaves half a
    /// file under its own.
    public static func create(_ path: String, _ secret: Secret) throws(Failure) {
        let draft = path + ".new-" + Hex.encode(Secret.random(count: 8).reveal())
        // Sound: as above.
        let file = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(path) }
        defer {
            close(file)
            // Sound: as above.
            _ = unsafe unlink(draft)
        }
        var rest = secret.reveal()[...]
        while !rest.isEmpty {
            // Sound: the kernel reads the bytes of the slice only.
            let count = unsafe rest.withUnsafeBytes {
                unsafe write(file, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path) }
            rest = rest.dropFirst(count)
        }
        guard fsync(file) == 0, name(draft, path) else { throw failure(path) }
        try syncDirectory(of: path)
    }

    /// Gives a file a name that nothing has yet; its old one may stay.
    private static func name(_ old: String, _ new: String) -> Bool {
        // Sound: the kernel reads the paths as C strings.
        if unsafe link(old, new) == 0 { return true }
        // Some file systems (FAT, SMB, some of FUSE) have one name for each file. Of two processes
        // that come at one moment the later one prevails there.
        guard [EPERM, EOPNOTSUPP, ENOSYS].contains(errno) else { return false }
        guard unsafe access(new, F_OK) != 0 else {
            errno = EEXIST
            return false
        }
        return unsafe rename(old, new) == 0
    }

    private static func syncDirectory(of path: String) throws(Failure) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        // Sound: as above.
        let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure(folder) }
        defer { close(directory) }
        // Some file systems have nothing to do for a directory, and say so.
        guard fsync(directory) == 0 || errno == EINVAL else { throw failure(folder) }
    }

    /// Creates a directory and those above it, each for its owner alone.
    public static func createDirectory(_ path: String) throws(Failure) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            guard
                unsafe mkdir(made, 0o700) == 0 || errno == EEXIST || errno == EROFS
                    || errno == EACCES
            else { throw failure(made) }
        }
        // With the slash a file is refused as none.
        guard unsafe access(path + "/", R_OK | W_OK | X_OK) == 0 else { throw failure(path) }
    }

    /// Inode, size and time of change: whether a file is still the one that was read.
    public static func mark(_ path: String) -> [Int] {
        var status = stat()
        // Sound: the kernel fills the structure.
        guard unsafe stat(path, &status) == 0 else { return [] }
        return [
            Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
        ]
    }

    /// What somebody may do with a file.
    public enum Access: String, Sendable, CaseIterable {
        case read, change

        fileprivate var bit: mode_t { self == .read ? S_IROTH : S_IWOTH }
    }

    /// Whether everybody on this machine can read or change a file, or what is in a folder: its
    /// mode lets them, and those of the folders above let them come to it.
    public static func isOpenToAll(_ path: String, to access: Access = .read) -> Bool {
        // Sound: the C library's string is copied and freed.
        guard let whole = unsafe realpath(path, nil) else { return false }
        var place = unsafe String(cString: whole)[...]
        unsafe free(whole)
        guard has(access.bit, String(place)) else { return false }
        while let slash = place.lastIndex(of: "/") {
            place = place[..<slash]
            guard has(S_IXOTH, place.isEmpty ? "/" : String(place)) else { return false }
        }
        return true
    }

    private static func has(_ bit: mode_t, _ path: String) -> Bool {
        var status = stat()
        // Sound: the kernel fills the structure.
        return unsafe stat(path, &status) == 0 && status.st_mode & bit != 0
    }

    private static func failure(_ path: String) -> Failure {
        let code = errno
        // Sound: strerror's text is copied at once.
        return Failure(
            path: path, description: unsafe String(cString: strerror(code)),
            isMissing: code == ENOENT)
    }
}
