import GatehouseBase

/// Who handed a request over, as an element of Forwarded names him (RFC 7239 §6).
enum ForwardedNode: Equatable {
    case address(IPAddress)
    /// `unknown`, or a name that only its giver understands.
    case hidden

    init?(_ text: borrowing Span<UInt8>) {
        if let address = ForwardedNode.address(text, bracketsIPv6: true) {
            self = .address(address)
            return
        }
        let end = ForwardedNode.nameEnd(text)
        let name = text.extracting(0..<end)
        guard ForwardedNode.isPort(text, from: end),
            name.equalsIgnoringCase("unknown") || ForwardedNode.isObfuscated(name)
        else { return nil }
        self = .hidden
    }

    /// An address, with or without a port, which is left out.
    ///
    /// - Parameter bracketsIPv6: whether an IPv6 address must stand in brackets; with a port it
    ///   must in any case.
    static func address(_ text: borrowing Span<UInt8>, bracketsIPv6: Bool) -> IPAddress? {
        if let whole = IPAddress(parsing: text) {
            return bracketsIPv6 && text.offset(of: 0x3A) < text.count ? nil : whole
        }
        if !text.isEmpty, text[0] == 0x5B {
            let end = text.offset(of: 0x5D)
            guard end < text.count, isPort(text, from: end + 1) else { return nil }
            let inner = text.extracting(1..<end)
            return inner.offset(of: 0x3A) < inner.count ? IPAddress(parsing: inner) : nil
        }
        let end = nameEnd(text)
        return isPort(text, from: end) ? IPAddress(parsing: text.extracting(0..<end)) : nil
    }

    private static func nameEnd(_ text: borrowing Span<UInt8>) -> Int { text.offset(of: 0x3A) }

    /// Whether nothing follows, or a port, a number or an obfuscated one.
    private static func isPort(_ text: borrowing Span<UInt8>, from start: Int) -> Bool {
        guard start < text.count else { return true }
        guard text[start] == 0x3A else { return false }
        let port = text.extracting(start + 1..<text.count)
        if isObfuscated(port) { return true }
        guard !port.isEmpty, port.count <= 5 else { return false }
        var number = 0
        for index in port.indices {
            guard ASCII.isDigit(port[index]) else { return false }
            number = number * 10 + Int(port[index] - 0x30)
        }
        return number < 1 << 16
    }

    /// `_` and at least one letter, digit, `.`, `_` or `-` (RFC 7239 §6.3).
    private static func isObfuscated(_ text: borrowing Span<UInt8>) -> Bool {
        guard text.count > 1, text[0] == 0x5F else { return false }
        for index in 1..<text.count {
            let byte = text[index]
            guard
                (byte | 0x20) &- 0x61 < 26 || ASCII.isDigit(byte) || byte == 0x2E || byte == 0x5F
                    || byte == 0x2D
            else { return false }
        }
        return true
    }
}
