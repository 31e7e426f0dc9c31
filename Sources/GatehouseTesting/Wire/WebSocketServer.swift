import GatehouseBase
import GatehouseHTTP
import GatehouseNet

/// The server's end of a WebSocket, for who plays the upstream. Lives on its loop.
public final class WebSocketServer {
    /// The connection below.
    public let connection: RawConnection
    private var bytes: [UInt8] = []

    /// Reads the handshake and accepts it.
    public init(over connection: RawConnection) async throws {
        self.connection = connection
        let request = ReceivedRequest(try await connection.request().head)
        guard let key = request["sec-websocket-key"] else { throw WireError.malformed("no key") }
        try await connection.send(WebSocketServer.acceptance(of: key) + "\r\n")
    }

    /// The head that accepts a key, without the empty line at its end.
    public static func acceptance(of key: String) -> String {
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Accept: \(WebSocketAccept.value(for: key))\r\n"
    }

    /// Sends a frame.
    public func send(_ frame: WebSocketFrame) async throws {
        try await connection.send(frame.encoded())
    }

    /// The next frame; nil when the connection has ended.
    public func receive() async throws -> WebSocketFrame? {
        while true {
            if let frame = try WebSocketFrame.take(from: &bytes) { return frame }
            guard let more = try await connection.read() else { return nil }
            bytes += more
        }
    }
}
