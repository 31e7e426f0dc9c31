import GatehouseBase
import GatehouseNet

/// The browser's end of a WebSocket. Lives on its loop.
public final class WebSocketClient {
    /// The connection below, for what no browser would do.
    public let connection: RawConnection
    /// The answer to the handshake.
    public let response: WireResponse
    private var bytes: [UInt8] = []

    /// Opens a WebSocket over a connection.
    ///
    /// - Parameters:
    ///   - target: path and query.
    ///   - authority: for Host, and for Origin unless `fields` hold one.
    ///   - fields: added to the request.
    /// - Throws: `WireError.refused` where the answer is no 101.
    public init(
        over connection: RawConnection, target: String, authority: String,
        fields: [(String, String)] = []
    ) async throws {
        self.connection = connection
        let key = Base64.encode(Secret.random(count: 16).reveal())
        var head =
            "GET \(target) HTTP/1.1\r\nHost: \(authority)\r\nConnection: Upgrade\r\n"
            + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n"
        if !fields.contains(where: { $0.0.lowercased() == "origin" }) {
            head += "Origin: https://\(authority)\r\n"
        }
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        try await connection.send(head + "\r\n")
        response = try await connection.response()
        guard response.status == 101 else { throw WireError.refused(response.status) }
        guard response["sec-websocket-accept"] == WebSocketAccept.value(for: key) else {
            throw WireError.malformed("sec-websocket-accept")
        }
    }

    /// Sends a frame, masked as clients must.
    public func send(_ frame: WebSocketFrame) async throws {
        try await connection.send(frame.encoded(mask: Secret.random(count: 4).reveal()))
    }

    /// Sends a text.
    public func send(_ text: String) async throws { try await send(WebSocketFrame(text: text)) }

    /// The next frame; nil when the connection has ended.
    public func receive() async throws -> WebSocketFrame? {
        while true {
            if let frame = try WebSocketFrame.take(from: &bytes) { return frame }
            guard let more = try await connection.read() else { return nil }
            bytes += more
        }
    }
}
