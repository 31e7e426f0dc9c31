/// Follows the frame headers of one direction of a WebSocket without touching its payload
/// (RFC 6455 §5.2).
///
/// It tells where a frame ends, so that a Close can be put between two, and how many data frames
/// passed. A header that cannot be right loses the tracker for ever; the bytes are passed on all
/// the same, because judging them is the business of the two ends.
public struct WebSocketFrameTracker: Sendable {
    /// Whose frames these are. Clients mask, servers do not (RFC 6455 §5.1).
    public enum Sender: Sendable {
        case client, server
    }

    /// Headers of text, binary and continuation frames so far.
    public private(set) var dataFrames = 0
    /// Whether a Close has begun: after it nothing more may be sent in this direction.
    public private(set) var sawClose = false
    /// Whether a header came that cannot be right.
    public private(set) var isLost = false

    private let maskBit: UInt8
    /// Bytes of masking key and payload that belong to the current frame and have not come yet.
    private var remaining: UInt64 = 0
    /// Header bytes seen of a header that is not complete; 0 between frames.
    private var headerCount = 0
    private var lengthBytes = 0
    private var length: UInt64 = 0
    private var opcode: UInt8 = 0

    public init(_ sender: Sender) { maskBit = sender == .client ? 0x80 : 0 }

    /// Whether the last byte seen ended a frame, or none came yet.
    public var isAtBoundary: Bool { !isLost && remaining == 0 && headerCount == 0 }

    /// Takes note of `bytes` that pass.
    public mutating func follow(_ bytes: borrowing Span<UInt8>) {
        var index = 0
        while !isLost, index < bytes.count {
            if remaining > 0 {
                let passed = min(remaining, UInt64(bytes.count - index))
                remaining -= passed
                index += Int(passed)
            } else {
                take(bytes[index])
                index += 1
            }
        }
    }

    private mutating func take(_ byte: UInt8) {
        switch headerCount {
        case 0: takeFirst(byte)
        case 1: takeSecond(byte)
        default:
            length = length << 8 | UInt64(byte)
            headerCount += 1
            // The high bit of the eight-byte form must be 0.
            if lengthBytes == 8, headerCount == 3, byte & 0x80 != 0 { isLost = true }
        }
        if headerCount == 2 + lengthBytes { endHeader() }
    }

    /// FIN, RSV1–3, opcode. RSV belongs to extensions that the two ends agreed upon.
    private mutating func takeFirst(_ byte: UInt8) {
        opcode = byte & 0x0F
        let isKnown = opcode <= 2 || (opcode >= 8 && opcode <= 10)
        let isFragmentedControl = opcode >= 8 && byte & 0x80 == 0
        isLost = !isKnown || isFragmentedControl
        headerCount = 1
        lengthBytes = 0
        length = 0
    }

    /// MASK, payload length.
    private mutating func takeSecond(_ byte: UInt8) {
        let short = byte & 0x7F
        isLost = byte & 0x80 != maskBit || (opcode >= 8 && short > 125)
        headerCount = 2
        switch short {
        case 126: lengthBytes = 2
        case 127: lengthBytes = 8
        default: length = UInt64(short)
        }
    }

    private mutating func endHeader() {
        guard !isLost else { return }
        remaining = length + (maskBit == 0 ? 0 : 4)
        headerCount = 0
        if opcode < 8 { dataFrames += 1 }
        if opcode == 8 { sawClose = true }
    }
}
