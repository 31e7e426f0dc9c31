import CLinux
import Glibc

/// What this process uses of the machine, as the kernel says.
public struct ProcessUsage: Sendable {
    /// Processor time.
    public var userSeconds = 0.0
    public var systemSeconds = 0.0
    public var residentBytes = 0
    public var virtualBytes = 0
    public var openFiles = 0
    public var maximumFiles = 0

    private init() {}

    /// Asks; what the kernel does not say is 0.
    public static func now() -> ProcessUsage {
        var usage = ProcessUsage()
        var times = rusage()
        // Sound: the kernel fills the structure.
        if unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &times) == 0 {
            usage.userSeconds = seconds(times.ru_utime)
            usage.systemSeconds = seconds(times.ru_stime)
        }
        usage.maximumFiles = ProcessLimits.descriptors
        let pages = statm()
        let size = sysconf(Int32(_SC_PAGESIZE))
        usage.virtualBytes = pages.virtual * size
        usage.residentBytes = pages.resident * size
        usage.openFiles = openFiles()
        return usage
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    /// The first two numbers of /proc/self/statm (proc_pid_statm(5)).
    private static func statm() -> (virtual: Int, resident: Int) {
        // Sound: the kernel reads the path as a C string.
        let file = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return (0, 0) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        // Sound: the kernel writes no more than `count` bytes.
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe read(file, $0.baseAddress, $0.count)
        }
        guard count > 0 else { return (0, 0) }
        let numbers = bytes[..<count].split(separator: UInt8(ascii: " "))
            .prefix(2).map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : (0, 0)
    }

    /// The size of the folder is how many there are, from Linux 6.2 on; older ones say 0 and are
    /// counted one by one.
    private static func openFiles() -> Int {
        var status = stat()
        // Sound: the kernel reads the path as a C string and fills the structure.
        if unsafe stat("/proc/self/fd", &status) == 0, status.st_size > 0 {
            return status.st_size
        }
        // Sound: the stream is closed here, entries are not kept.
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        unsafe closedir(folder)
        // Two dots, and the folder itself.
        return max(0, count - 3)
    }
}
