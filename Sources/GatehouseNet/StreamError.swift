import Glibc

/// Why a stream does not go on.
public enum StreamError: Error, Equatable, Sendable {
    /// The peer closed its side where more was expected.
    case closed
    /// The connection was reset, or we reset it.
    case reset
    /// The deadline passed.
    case timedOut
    /// Nobody listens there.
    case refused
    /// No address: the name, and what the resolver says.
    case unresolved(String)
    /// TLS failed: the text of OpenSSL's error queue.
    case tls(String)
    /// Aborted from our side.
    case aborted
    /// Another system error.
    case system(Int32)

    /// Whether this process, the machine or the network between them has no socket left: room made
    /// for one helps.
    public var isWantOfSockets: Bool {
        self == .system(EMFILE) || self == .system(ENFILE) || self == .system(EADDRNOTAVAIL)
    }
}
