import GatehouseBase
public import GatehouseNet

/// A server that requests go to, with its settings. Shared by all loops; identity is by object.
public final class UpstreamTarget: Sendable {
    /// For logs: the URL without credentials.
    public let description: String
    public let host: String
    public let port: UInt16
    /// nil: plain HTTP.
    public let tls: ClientTLS?
    public let connectTimeout: Duration
    /// nil: an answer may take as long as it likes (notebooks).
    public let firstByteTimeout: Duration?
    let hostField: [UInt8]

    public init(
        host: String, port: UInt16, tls: ClientTLS?, connectTimeout: Duration,
        firstByteTimeout: Duration? = nil
    ) {
        self.host = host
        self.port = port
        self.tls = tls
        self.connectTimeout = connectTimeout
        self.firstByteTimeout = firstByteTimeout
        let shown = host.contains(":") ? "[\(host)]" : host
        let isDefault = port == (tls == nil ? 80 : 443)
        hostField = Array((isDefault ? shown : "\(shown):\(port)").utf8)
        description = "\(tls == nil ? "http" : "https")://\(shown):\(port)"
    }
}
