import GatehouseHTTP
import GatehouseNet
import GatehouseProxy

/// The server's end of a WebSocket that sends back what it gets.
enum WebSocketEcho {
    /// Answers the handshake, then every frame, until either side ends.
    static func serve(_ exchange: any Exchange) async throws(ExchangeFailure) {
        guard UpgradeRequest.of(exchange.request, framing: exchange.framing) == .webSocket,
            let key = exchange.request.fields.text(.secWebSocketKey)
        else {
            var response = Response(
                426, contentType: "text/plain", "This address is for WebSockets.\n")
            response.head.fields.append(.upgrade, "websocket")
            response.head.fields.append("Sec-WebSocket-Version", "13")
            return await exchange.send(response)
        }
        var head = ResponseHead(101)
        head.fields.append(.upgrade, "websocket")
        head.fields.append(.secWebSocketAccept, WebSocketAccept.value(for: key))
        let stream = try await exchange.upgrade(head)
        do throws(StreamError) {
            try await echo(stream)
        } catch { return }
    }

    private static func echo(_ stream: UpgradedStream) async throws(StreamError) {
        var bytes: [UInt8] = []
        while let more = try await stream.read() {
            bytes += more
            while true {
                let frame: WebSocketFrame
                do {
                    guard let next = try WebSocketFrame.take(from: &bytes) else { break }
                    frame = next
                } catch {
                    // Too large, or no frame at all (RFC 6455 §7.4.1).
                    let code: UInt16 = (error as? WireError) == .tooMuch ? 1009 : 1002
                    return try await stream.write(WebSocketFrame(close: code).encoded())
                }
                guard try await answer(frame, stream) else { return }
            }
        }
    }

    /// - Returns: false after a Close.
    private static func answer(
        _ frame: WebSocketFrame, _ stream: UpgradedStream
    ) async throws(StreamError) -> Bool {
        switch frame.opcode {
        case .text, .binary, .continuation:
            try await stream.write(frame.encoded())
        case .ping:
            try await stream.write(WebSocketFrame(.pong, frame.payload).encoded())
        case .pong: break
        case .close:
            try await stream.write(WebSocketFrame(.close, frame.payload).encoded())
            return false
        }
        return true
    }
}
