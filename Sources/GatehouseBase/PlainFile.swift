import Glibc

/// Small files that hold no secret and that other programs read, such as a pid file.
public enum PlainFile {
    /// Writes `text`, in place of what was there.
    /// - Returns: what the system says where that fails.
    public static func write(_ text: String, to path: String) -> String? {
        // Sound: the kernel reads the path as a C string.
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { return reason }
        defer { close(file) }
        let bytes = Array(text.utf8)
        // Sound: the kernel reads `count` bytes.
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.write(file, $0.baseAddress, $0.count)
        }
        return count == bytes.count ? nil : reason
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
