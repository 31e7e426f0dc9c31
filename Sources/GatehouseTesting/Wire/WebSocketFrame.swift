/// One frame of a WebSocket (RFC 6455 §5.2), as both ends of a test read and write it.
public struct WebSocketFrame: Sendable, Equatable {
    /// What a frame is.
    public enum Opcode: UInt8, Sendable {
        case continuation = 0, text, binary
        case close = 8, ping, pong
    }

    public var opcode: Opcode
    public var payload: [UInt8]
    public var isFinal: Bool

    public init(_ opcode: Opcode, _ payload: [UInt8] = [], isFinal: Bool = true) {
        self.opcode = opcode
        self.payload = payload
        self.isFinal = isFinal
    }

    /// A text frame.
    public init(text: String) { self.init(.text, Array(text.utf8)) }

    /// A Close with its code.
    public init(close code: UInt16) {
        self.init(.close, [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)])
    }

    /// The payload as text; what is no UTF-8 is replaced.
    public var text: String { String(decoding: payload, as: UTF8.self) }

    /// The code of a Close; nil where it has none.
    public var closeCode: UInt16? {
        guard opcode == .close, payload.count >= 2 else { return nil }
        return UInt16(payload[0]) << 8 | UInt16(payload[1])
    }

    /// The bytes of the frame. Clients mask, servers do not.
    public func encoded(mask: [UInt8]? = nil) -> [UInt8] {
        var bytes = [opcode.rawValue | (isFinal ? 0x80 : 0)]
        let bit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ...125: bytes.append(bit | UInt8(payload.count))
        case ...0xFFFF:
            bytes.append(bit | 126)
            bytes += [UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default:
            bytes.append(bit | 127)
            bytes += (0..<8).map {
                UInt8(truncatingIfNeeded: UInt64(payload.count) >> (56 - 8 * UInt64($0)))
            }
        }
        guard let mask else { return bytes + payload }
        bytes += mask
        for index in payload.indices { bytes.append(payload[index] ^ mask[index & 3]) }
        return bytes
    }

    /// Takes the first frame out of `bytes`; nil while it is incomplete.
    public static func take(
        from bytes: inout [UInt8], atMost limit: Int = 1 << 20
    ) throws -> WebSocketFrame? {
        guard bytes.count >= 2 else { return nil }
        guard bytes[0] & 0x70 == 0, let opcode = Opcode(rawValue: bytes[0] & 0x0F) else {
            throw WireError.malformed("frame")
        }
        var start = 2
        var length = Int(bytes[1] & 0x7F)
        if length >= 126 {
            let count = length == 126 ? 2 : 8
            guard bytes.count >= 2 + count else { return nil }
            var long: UInt64 = 0
            for byte in bytes[2..<2 + count] { long = long << 8 | UInt64(byte) }
            guard long <= UInt64(limit) else { throw WireError.tooMuch }
            length = Int(long)
            start += count
        }
        guard length <= limit else { throw WireError.tooMuch }
        let isMasked = bytes[1] & 0x80 != 0
        let payloadStart = start + (isMasked ? 4 : 0)
        guard bytes.count >= payloadStart + length else { return nil }
        var payload = Array(bytes[payloadStart..<payloadStart + length])
        if isMasked {
            for index in payload.indices { payload[index] ^= bytes[start + (index & 3)] }
        }
        let frame = WebSocketFrame(opcode, payload, isFinal: bytes[0] & 0x80 != 0)
        bytes.removeFirst(payloadStart + length)
        return frame
    }
}
