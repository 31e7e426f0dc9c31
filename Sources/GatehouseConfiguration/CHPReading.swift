/// What came out of configurable-http-proxy's command line.
public enum CHPReading: Sendable {
    /// Run so.
    case run(CHPStart)
    /// Print this on standard output and exit 0.
    case print(String)
    /// Print this on standard error and exit 1.
    case failure(String)
    /// Write this as an error into a log with these settings and exit 1.
    case refused(String, LogSettings)
}
