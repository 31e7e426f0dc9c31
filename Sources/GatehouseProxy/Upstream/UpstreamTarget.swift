import GatehouseBase
public import GatehouseNet

/// A server that requests go to, with its settings. Shared by all loops; identity is by object.
///
/// There is one per route, and JupyterHub has a route per user: what can be computed is not stored
/// (56 bytes each, beside a host name of more than 15 bytes; what TLS needs is shared).
public final class UpstreamTarget: Sendable {
    /// The name or numeric address; the path of a UNIX socket.
    private let place: String
    /// nil: plain HTTP.
    public let tls: ClientTLS?
    // In milliseconds; negative for none.
    private let connectTime: Int32
    private let firstByteTime: Int32
    private let responseIdleTime: Int32
    /// 0 for any number.
    private let connections: UInt16
    /// 0 for a UNIX socket.
    public let port: UInt16

    private init(
        place: String, port: UInt16, tls: ClientTLS?, connectTimeout: Duration,
        firstByteTimeout: Duration?, responseIdle: Duration?, maximumConnections: Int?
    ) {
        self.place = place
        self.port = port
        self.tls = tls
        connectTime = Int32(clamping: connectTimeout.milliseconds)
        firstByteTime = firstByteTimeout.map { Int32(clamping: $0.milliseconds) } ?? -1
        responseIdleTime = responseIdle.map { Int32(clamping: $0.milliseconds) } ?? -1
        connections = maximumConnections.map { UInt16(clamping: max(1, $0)) } ?? 0
    }

    private var isSocket: Bool { port == 0 }

    /// - Parameters:
    ///   - firstByteTimeout: nil: an answer may take as long as it likes (notebooks).
    ///   - responseIdle: nil: an answer may pause for as long as it likes.
    ///   - maximumConnections: of each loop; nil for any number.
    public convenience init(
        host: String, port: UInt16, tls: ClientTLS?, connectTimeout: Duration,
        firstByteTimeout: Duration? = nil, responseIdle: Duration? = nil,
        maximumConnections: Int? = nil
    ) {
        self.init(
            place: host, port: port, tls: tls, connectTimeout: connectTimeout,
            firstByteTimeout: firstByteTimeout, responseIdle: responseIdle,
            maximumConnections: maximumConnections)
    }

    /// A server at a UNIX socket (`http+unix://%2Frun%2Fhub.sock`); nil for what cannot be the path
    /// of one: empty, with a NUL, or longer than `Address.maximumPath`.
    public convenience init?(
        socketPath: String, connectTimeout: Duration, firstByteTimeout: Duration? = nil,
        responseIdle: Duration? = nil, maximumConnections: Int? = nil
    ) {
        guard Address(path: socketPath) != nil else { return nil }
        self.init(
            place: socketPath, port: 0, tls: nil, connectTimeout: connectTimeout,
            firstByteTimeout: firstByteTimeout, responseIdle: responseIdle,
            maximumConnections: maximumConnections)
    }

    /// The name or numeric address, which is what a certificate must be for; `localhost` for a
    /// UNIX socket.
    public var host: String { isSocket ? "localhost" : place }

    /// The path of a UNIX socket.
    public var socketPath: String? { isSocket ? place : nil }

    public var connectTimeout: Duration { .milliseconds(connectTime) }

    /// nil: an answer may take as long as it likes (notebooks).
    public var firstByteTimeout: Duration? {
        firstByteTime < 0 ? nil : .milliseconds(firstByteTime)
    }

    /// After this long without a byte of an answer that has begun, it is cut; nil: never.
    public var responseIdle: Duration? {
        responseIdleTime < 0 ? nil : .milliseconds(responseIdleTime)
    }

    /// How many connections a loop has at most, idle ones with them; nil for any number.
    public var maximumConnections: Int? { connections == 0 ? nil : Int(connections) }

    /// For logs: the URL without credentials.
    public var description: String {
        if isSocket { return "http+unix://\(PercentCoding.encode(place))" }
        // Not by interpolation, which takes four times as long: each route is written once or twice.
        return (tls == nil ? "http://" : "https://") + shownHost + ":" + String(port)
    }

    /// Host where the client sends none.
    var hostField: [UInt8] {
        let isDefault = isSocket || port == (tls == nil ? 80 : 443)
        return Array((isDefault ? shownHost : "\(shownHost):\(port)").utf8)
    }

    /// Host and port as a Host field has them.
    public var authority: String { String(decoding: hostField, as: UTF8.self) }

    private var shownHost: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    }
}
