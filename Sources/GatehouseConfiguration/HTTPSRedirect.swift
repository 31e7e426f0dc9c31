/// A listener that answers every request with a redirect to https.
public struct HTTPSRedirect: Sendable, Hashable {
    /// 307, which no cache keeps, or 301.
    public var status: Int
    /// The port in the redirect; nil: that of the public URL or listener. 443 is never written.
    public var port: UInt16?

    public init(status: Int = 307, port: UInt16? = nil) {
        self.status = status
        self.port = port
    }
}
