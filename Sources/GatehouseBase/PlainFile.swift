import Glibc

/// Small files that hold no secret and that other programs read, such as a pid file.
public enum PlainFile {
    /// Writes `text`, in place of what was there.
    /// - Returns: what the system says where that fails.
    public static func write(_ text: String, to path: String) -> String? {
        // Sound: the kernel reads the path as a C string. A FIFO is not waited for.
        let file = unsafe open(
            path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0o644)
        guard file >= 0 else { return reason }
        defer { close(file) }
        let bytes = Array(text.utf8)
        // Sound: the kernel reads `count` bytes.
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.write(file, $0.baseAddress, $0.count)
        }
        return count == bytes.count ? nil : reason
    }

    /// Whether a file holds `text` and nothing else.
    public static func holds(_ text: String, _ path: String) -> Bool {
        // Sound: the kernel reads the path as a C string. A FIFO is not waited for.
        let file = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        let expected = Array(text.utf8)
        var found = [UInt8](repeating: 0, count: expected.count + 1)
        // Sound: the kernel writes `count` bytes at most.
        let count = unsafe found.withUnsafeMutableBytes {
            unsafe read(file, $0.baseAddress, $0.count)
        }
        return count == expected.count && found.starts(with: expected)
    }

    /// Removes a file, if it is there.
    public static func remove(_ path: String) {
        // Sound: the kernel reads the path as a C string.
        _ = unsafe unlink(path)
    }

    private static var reason: String {
        // Sound: a string of the C library's, copied at once.
        unsafe String(cString: strerror(errno))
    }
}
