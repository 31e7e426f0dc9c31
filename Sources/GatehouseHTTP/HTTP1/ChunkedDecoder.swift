public import GatehouseBase

/// Takes the chunked coding off a body (RFC 9112 §7.1).
///
/// The caller shows what it has received and gets back which of these bytes are framing and which
/// are payload; nothing is copied but trailers. A size line may arrive in any number of pieces:
/// its bytes are judged once, as they come.
///
///     CRLF 1 a ; e x t CRLF  payload …
///     ├───── skipped ──────┤├─ payload ─┤
///
/// Strict: CRLF only, at most 15 digits, extensions are checked and thrown away.
public struct ChunkedDecoder: Sendable {
    /// What the first bytes of the input are.
    public struct Step: Equatable, Sendable {
        /// Framing bytes before the payload.
        public let skipped: Int
        /// Payload bytes that follow them.
        public let payload: Int
        /// Whether the body ends with these bytes; ``ChunkedDecoder/trailers`` are complete then.
        public let isEnd: Bool
    }

    private enum State: UInt8 {
        case size
        case beforeExtension, nameStart, name, afterName
        case valueStart, token, quoted, quotedPair, afterQuoted
        case lineFeed
        case payload, payloadReturn, payloadLineFeed
        case trailersStart, trailers, emptyTrailers
        case end
    }

    /// The trailer section, as received, once the body has ended.
    public private(set) var trailers = Fields()

    private let maximumLine: Int
    private let trailerParser: HeadParser
    private var state = State.size
    private var lineCount = 0
    private var digits = 0
    private var remaining = 0
    private var section: [UInt8] = []
    private var isLineEmpty = true

    public init(_ limits: Limits) {
        maximumLine = limits.chunkLine
        trailerParser = HeadParser(
            maximumLine: limits.trailers, maximumHead: limits.trailers,
            maximumFields: limits.requestFields)
    }

    /// Looks at the beginning of `input`. The caller takes `payload` bytes after `skipped`,
    /// forgets both and calls again with what is left; a step of nothing that is no end asks for
    /// more bytes.
    public mutating func decode(
        _ input: borrowing Span<UInt8>
    ) throws(MessageError) -> Step {
        var index = 0
        while state != .payload, state != .end, index < input.count {
            if state == .trailersStart, input[index] != 0x0D { state = .trailers }
            if state == .trailers {
                try takeTrailer(input[index], at: index)
            } else {
                try takeFraming(input[index], at: index)
            }
            index += 1
        }
        guard state == .payload else {
            return Step(skipped: index, payload: 0, isEnd: state == .end)
        }
        let count = min(remaining, input.count - index)
        remaining -= count
        if remaining == 0 { state = .payloadReturn }
        return Step(skipped: index, payload: count, isEnd: false)
    }

    // MARK: Size lines

    private mutating func takeFraming(_ byte: UInt8, at offset: Int) throws(MessageError) {
        lineCount += 1
        guard lineCount <= maximumLine else { throw MessageError(.chunkLineTooLong, at: offset) }
        guard let next = following(byte) else { throw MessageError(.chunk, at: offset) }
        state = next
    }

    /// The state after `byte`; nil where the grammar has no such byte.
    private mutating func following(_ byte: UInt8) -> State? {
        switch state {
        case .size: afterDigit(byte)
        case .lineFeed: byte == 0x0A ? beginChunk() : nil
        case .payloadReturn: byte == 0x0D ? .payloadLineFeed : nil
        case .payloadLineFeed: byte == 0x0A ? .size : nil
        case .trailersStart: byte == 0x0D ? .emptyTrailers : nil
        case .emptyTrailers: byte == 0x0A ? .end : nil
        default: withinExtensions(byte)
        }
    }

    private mutating func afterDigit(_ byte: UInt8) -> State? {
        guard let value = ASCII.hexValue(byte) else {
            return digits > 0 ? ChunkedDecoder.afterElement(byte, blank: .beforeExtension) : nil
        }
        digits += 1
        guard digits <= 15 else { return nil }
        remaining = remaining << 4 | Int(value)
        return .size
    }

    /// chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
    ///
    /// Blanks stand around `;` and `=`, never at the end of the line.
    private func withinExtensions(_ byte: UInt8) -> State? {
        let isBlank = byte == 0x20 || byte == 0x09
        switch state {
        case .beforeExtension: return isBlank ? state : byte == 0x3B ? .nameStart : nil
        case .nameStart: return isBlank ? state : ASCII.isToken(byte) ? .name : nil
        case .name where ASCII.isToken(byte): return .name
        case .name where byte == 0x3D, .afterName where byte == 0x3D: return .valueStart
        case .name: return ChunkedDecoder.afterElement(byte, blank: .afterName)
        case .afterName: return isBlank ? state : byte == 0x3B ? .nameStart : nil
        case .valueStart:
            return isBlank ? state : byte == 0x22 ? .quoted : ASCII.isToken(byte) ? .token : nil
        case .token where ASCII.isToken(byte): return .token
        case .token, .afterQuoted:
            return ChunkedDecoder.afterElement(byte, blank: .beforeExtension)
        case .quoted where byte == 0x22: return .afterQuoted
        case .quoted where byte == 0x5C: return .quotedPair
        case .quoted, .quotedPair: return ASCII.isFieldValue(byte) ? .quoted : nil
        default: return nil
        }
    }

    private static func afterElement(_ byte: UInt8, blank: State) -> State? {
        switch byte {
        case 0x0D: .lineFeed
        case 0x3B: .nameStart
        case 0x20, 0x09: blank
        default: nil
        }
    }

    private mutating func beginChunk() -> State {
        lineCount = 0
        digits = 0
        return remaining > 0 ? .payload : .trailersStart
    }

    // MARK: Trailers

    /// Gathers the section, and has it read when its empty line has come (RFC 9112 §7.1.2).
    private mutating func takeTrailer(_ byte: UInt8, at offset: Int) throws(MessageError) {
        section.append(byte)
        guard section.count <= trailerParser.maximumHead else {
            throw MessageError(.headTooLarge, at: offset)
        }
        let follows = section.count > 1 && section[section.count - 2] == 0x0D
        guard (byte == 0x0A) == follows else { throw MessageError(.bareLineFeed, at: offset) }
        guard byte == 0x0A else {
            isLineEmpty = isLineEmpty && byte == 0x0D
            return
        }
        guard isLineEmpty else {
            isLineEmpty = true
            return
        }
        let whole = section
        section = []
        _ = try trailerParser.parseTrailers(whole.span, into: &trailers)
        state = .end
    }
}

/// Puts the chunked coding on a body. Extensions are never sent.
extension ByteBuffer {
    /// One chunk. Of no bytes it would be the last, so nothing is written for them.
    public mutating func appendChunk(_ bytes: borrowing Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        appendChunkStart(bytes.count)
        append(bytes)
        appendChunkEnd()
    }

    /// The line before `count` bytes of payload that the caller writes himself.
    public mutating func appendChunkStart(_ count: Int) {
        precondition(count > 0)
        append(hexadecimal: count)
        append("\r\n")
    }

    /// What follows the payload of a chunk.
    public mutating func appendChunkEnd() { append("\r\n") }

    /// The end of the body, with `trailers` where there are any.
    public mutating func appendLastChunk(trailers: Fields? = nil) {
        append("0\r\n")
        if let trailers { append(trailers) }
        append("\r\n")
    }
}
