import GatehouseBase

/// What a request asks to change its connection to (RFC 9110 §7.8, RFC 6455 §4).
public enum UpgradeRequest: Equatable, Sendable {
    /// Nothing.
    case none
    /// A WebSocket, by a handshake that is right.
    case webSocket
    /// A WebSocket, by a handshake that is not. An answer of status 426 carries
    /// `Sec-WebSocket-Version: 13`.
    case refused(MessageError)
    /// Something else (`h2c` …): Upgrade is not forwarded, the request is answered as a plain one.
    case ignored

    /// Reads the handshake of RFC 6455 §4.2.1, all of it but Origin, which the gate judges.
    public static func of(
        _ head: borrowing RequestHead, framing: BodyFraming
    ) -> UpgradeRequest {
        guard let upgrade = head.fields.firstIndex(of: .upgrade) else {
            // Answered as a plain request it would fail in a way that nobody understands.
            return head.fields.firstIndex(of: .secWebSocketKey) == nil
                ? .none : .refused(MessageError(.webSocketUpgradeLost))
        }
        guard head.fields.lists(.upgrade, "websocket") else { return .ignored }
        guard head.method == .get, head.version == .http11, framing == .none,
            head.fields.firstIndex(of: .upgrade, from: upgrade + 1) == nil,
            head.fields.value(at: upgrade).equalsIgnoringCase("websocket"),
            head.fields.lists(.connection, "upgrade"), hasKey(head.fields)
        else { return .refused(MessageError(.webSocket)) }
        guard let version = only(.secWebSocketVersion, head.fields),
            head.fields.value(at: version).equals("13")
        else { return .refused(MessageError(.webSocketVersion)) }
        return .webSocket
    }

    /// Whether a 101 is the answer to the handshake: a tunnel follows it, and nothing else does.
    ///
    /// - Parameter answer: to the request's key; who does not know it is no server of WebSockets.
    public static func accepts(_ response: borrowing ResponseHead, answer: String) -> Bool {
        guard response.status == 101, response.version == .http11,
            let upgrade = only(.upgrade, response.fields),
            response.fields.value(at: upgrade).equalsIgnoringCase("websocket"),
            response.fields.lists(.connection, "upgrade"),
            let accept = only(.secWebSocketAccept, response.fields)
        else { return false }
        return response.fields.value(at: accept).equals(Array(answer.utf8).span)
            && response.fields.firstIndex(of: .contentLength) == nil
            && response.fields.firstIndex(of: .transferEncoding) == nil
    }

    /// Exactly one key: 16 bytes in base64.
    private static func hasKey(_ fields: borrowing Fields) -> Bool {
        guard let line = only(.secWebSocketKey, fields) else { return false }
        let key = fields.value(at: line)
        guard key.count == 24, key[22] == 0x3D, key[23] == 0x3D else { return false }
        for index in 0..<22 {
            let byte = key[index]
            let isLetter = (byte | 0x20) &- 0x61 < 26
            guard isLetter || ASCII.isDigit(byte) || byte == 0x2B || byte == 0x2F else {
                return false
            }
        }
        return true
    }

    private static func only(_ name: FieldName, _ fields: borrowing Fields) -> Int? {
        guard let line = fields.firstIndex(of: name),
            fields.firstIndex(of: name, from: line + 1) == nil
        else { return nil }
        return line
    }
}
