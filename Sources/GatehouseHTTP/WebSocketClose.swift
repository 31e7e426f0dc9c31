/// The Close frames that we send ourselves (RFC 6455 §5.5.1, §7.4.1).
public enum WebSocketClose {
    /// The server goes away.
    public static let goingAway: UInt16 = 1001
    /// The peer broke a policy: its session has ended.
    public static let policyViolation: UInt16 = 1008

    /// A whole Close frame.
    /// - Parameters:
    ///   - reason: UTF-8, at most 123 bytes.
    ///   - maskingKey: given for frames to an upstream, where we are the client; four bytes in
    ///     network order, unpredictable.
    public static func frame(
        code: UInt16, reason: StaticString = "", maskingKey: UInt32? = nil
    ) -> [UInt8] {
        var payload = [UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)]
        payload.append(contentsOf: reason.description.utf8)
        precondition(payload.count <= 125)
        var frame: [UInt8] = [0x88, UInt8(payload.count)]
        guard let maskingKey else { return frame + payload }
        frame[1] |= 0x80
        let key = (0..<4).map { UInt8(truncatingIfNeeded: maskingKey >> (24 - 8 * UInt32($0))) }
        frame += key
        for index in payload.indices { frame.append(payload[index] ^ key[index & 3]) }
        return frame
    }
}
