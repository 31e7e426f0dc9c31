import GatehouseBase
import Glibc

/// The names that belong to a store on the disk: the file, and beside it what SQLite adds.
struct StoreFile {
    let path: String

    private var directory: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes the file if there is none, empty and for its owner alone; the directory too.
    func create() throws(StoreError) {
        do {
            try SecretFile.createDirectory(directory)
        } catch {
            throw .io("\(error.path): \(error.description)")
        }
        // Never opened if it is there: closing it again would give up locks of this process.
        // Sound: the kernel reads the path as a C string.
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 || errno == EEXIST else { throw StoreFile.failure() }
        if file >= 0 { close(file) }
    }

    /// Whether there is a log but nothing that it belongs to. SQLite would delete it.
    var isLogAlone: Bool { (size("") ?? 0) == 0 && (size("-wal") ?? 0) > 0 }

    /// Renames the file and what belongs to it, over nothing.
    ///
    /// - Returns: the new path of the file, `PATH.damaged-20261127-041521`.
    func setAside(_ now: Timestamp) throws(StoreError) -> String {
        let name = path + ".damaged-" + StoreFile.stamp(now)
        var kept = StoreFile(path: name)
        var number = 1
        while StoreFile.suffixes.contains(where: { kept.size($0) != nil }) {
            number += 1
            kept = StoreFile(path: "\(name)-\(number)")
        }
        // The file first: a log that is left alone by a kill in between is found, and kept too.
        for suffix in StoreFile.suffixes where size(suffix) != nil {
            // Sound: as above.
            guard unsafe rename(path + suffix, kept.path + suffix) == 0 else {
                throw StoreFile.failure()
            }
        }
        return kept.path
    }

    /// Which file on the disk has a name.
    struct Mark: Equatable {
        let device: UInt
        let number: UInt
    }

    /// Of the file; nil where there is none.
    var mark: Mark? { mark("") }

    /// Of its log.
    var logMark: Mark? { mark("-wal") }

    private func mark(_ suffix: String) -> Mark? {
        var status = stat()
        // Sound: the kernel fills the structure.
        guard unsafe stat(path + suffix, &status) == 0 else { return nil }
        return Mark(device: UInt(status.st_dev), number: UInt(status.st_ino))
    }

    private static let suffixes = ["", "-wal", "-shm", "-journal"]

    private func size(_ suffix: String) -> Int? {
        var status = stat()
        // Sound: the kernel fills the structure.
        return unsafe lstat(path + suffix, &status) == 0 ? Int(status.st_size) : nil
    }

    private static func stamp(_ now: Timestamp) -> String {
        let digits = CalendarTime(now).iso8601.prefix(19).filter { $0 != "-" && $0 != ":" }
        return digits.replacing("T", with: "-")
    }

    static func failure() -> StoreError {
        let code = errno
        guard code != ENOSPC && code != EDQUOT else { return .full }
        // Sound: strerror's text is copied at once.
        return .io(unsafe String(cString: strerror(code)))
    }
}

/// The right to be the only process that has a store open; given up when this goes, or with the
/// process.
///
/// SQLite's own locks do not do for this: they belong to the file that was opened, whatever it is
/// called by now, so that of two processes that find it damaged the second would set aside what the
/// first has just begun.
final class FileLock: Sendable {
    private let file: Int32

    /// Tries until `deadline`; blocks the thread.
    init(_ path: String, until deadline: Instant) throws(StoreError) {
        // Sound: the kernel reads the path as a C string.
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StoreFile.failure() }
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            let isHeld = errno == EWOULDBLOCK
            guard isHeld || errno == EINTR, Instant.now() < deadline else {
                let failure = isHeld ? StoreError.locked : StoreFile.failure()
                close(file)
                throw failure
            }
            usleep(20_000)
        }
        self.file = file
    }

    deinit { close(file) }
}
