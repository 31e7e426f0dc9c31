import GatehouseBase

/// The server's answer to a WebSocket's key (RFC 6455 §4.2.2): base64 of SHA-1 of the key and a
/// fixed text. SHA-1 is what the RFC asks for; nothing depends on its strength.
enum WebSocketAccept {
    /// Whether `value` answers `key`, a value of Sec-WebSocket-Key.
    static func isAnswer(
        _ value: borrowing Span<UInt8>, to key: borrowing Span<UInt8>
    ) -> Bool {
        var text: [UInt8] = []
        text.append(copying: key)
        text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8
        return value.equals(Array(Base64.encode(sha1(text)).utf8).span)
    }

    /// FIPS 180-4 §6.1.
    static func sha1(_ message: [UInt8]) -> [UInt8] {
        var bytes = message + [0x80]
        while bytes.count % 64 != 56 { bytes.append(0) }
        let bitCount = UInt64(message.count) * 8
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
        }
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
        for start in stride(from: 0, to: bytes.count, by: 64) {
            compress(bytes[start..<start + 64], into: &state)
        }
        return state.flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) }
        }
    }

    private static func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
        var schedule = (0..<16).map { word in
            block.dropFirst(word * 4).prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        for word in 16..<80 {
            schedule.append(
                rotate(
                    schedule[word - 3] ^ schedule[word - 8] ^ schedule[word - 14]
                        ^ schedule[word - 16], 1))
        }
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for word in 0..<80 {
            let (mix, constant): (UInt32, UInt32) =
                switch word {
                case ..<20: ((b & c) | (~b & d), 0x5A82_7999)
                case ..<40: (b ^ c ^ d, 0x6ED9_EBA1)
                case ..<60: ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC)
                default: (b ^ c ^ d, 0xCA62_C1D6)
                }
            let next = rotate(a, 5) &+ mix &+ e &+ constant &+ schedule[word]
            (a, b, c, d, e) = (next, a, rotate(b, 30), c, d)
        }
        for (index, word) in [a, b, c, d, e].enumerated() { state[index] &+= word }
    }

    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
        word << count | word >> (32 - count)
    }
}
