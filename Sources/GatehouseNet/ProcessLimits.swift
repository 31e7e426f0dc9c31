import CLinux
public import GatehouseBase
import Glibc

/// What the system lets this process have, and what it keeps from others.
public enum ProcessLimits {
    /// Cores that this process may run on.
    public static var availableCores: Int {
        max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }

    /// Raises the soft limit of descriptors to the hard one; no core dumps, no tracing by others:
    /// keys and sessions are in memory.
    public static func prepare() {
        var limit = rlimit()
        // Sound: the kernel reads and fills the structure.
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            limit.rlim_cur = limit.rlim_max
            _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        gh_forbid_dumps()
    }

    /// Descriptors that this process may have; some 60 are our own, and a connection needs one, or two
    /// with its upstream.
    public static var descriptors: Int {
        var limit = rlimit()
        // Sound: the kernel fills the structure.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 1024
        }
        return Int(min(limit.rlim_cur, rlim_t(Int32.max)))
    }

    /// Connections that fit into the descriptors: each may need one for its upstream.
    public static func maximumConnections(_ limits: Limits) -> Int {
        max(0, descriptors - 64) * limits.connectionShare / 100
    }

    /// Ends a process that does not get at its start what it cannot be without.
    static func giveUp(_ what: String, _ code: Int32) -> Never {
        // Sound: strerror's text is copied at once.
        let reason = unsafe String(cString: strerror(code))
        StandardStream.write(
            Array(
                ("cannot start: \(what): \(reason) (raise the limits of processes and threads and of "
                    + "open files, LimitNPROC and LimitNOFILE)\n").utf8), to: STDERR_FILENO)
        exit(1)
    }
}
