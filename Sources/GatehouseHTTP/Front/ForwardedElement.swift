import GatehouseBase

/// One element of Forwarded: what one hop says about who came to it (RFC 7239 §4).
struct ForwardedElement: Equatable {
    var node: ForwardedNode?
    var isHTTPS: Bool?
    var host: [UInt8]?

    /// All elements of all lines, in their order. One that is not the grammar spoils them all: a
    /// client's own part stands before what the front adds, and a quote that it leaves open would
    /// swallow it.
    static func parse(_ fields: borrowing Fields) throws(MessageError) -> [ForwardedElement] {
        var elements: [ForwardedElement] = []
        var line = fields.firstIndex(of: .forwarded)
        while let index = line {
            try parse(fields.value(at: index), into: &elements)
            line = fields.firstIndex(of: .forwarded, from: index + 1)
        }
        guard !elements.isEmpty else { throw MessageError(.forwarded) }
        return elements
    }

    private static func parse(
        _ value: borrowing Span<UInt8>, into elements: inout [ForwardedElement]
    ) throws(MessageError) {
        var index = 0
        while index < value.count {
            skipBlanks(value, &index)
            // Empty list elements say nothing (RFC 9110 §5.6.1.2).
            if index < value.count, value[index] == UInt8(ascii: ",") {
                index += 1
                continue
            }
            guard index < value.count else { return }
            elements.append(try element(value, &index))
        }
    }

    /// Pairs with `;` between them, up to a comma or the end.
    private static func element(
        _ value: borrowing Span<UInt8>, _ index: inout Int
    ) throws(MessageError) -> ForwardedElement {
        var element = ForwardedElement()
        var names: [[UInt8]] = []
        while true {
            skipBlanks(value, &index)
            // Empty pairs are the grammar's.
            guard index < value.count, value[index] != UInt8(ascii: ",") else { return element }
            if value[index] == UInt8(ascii: ";") {
                index += 1
                continue
            }
            let name = try token(value, &index).map(ASCII.lowercased)
            guard index < value.count, value[index] == UInt8(ascii: "="), !names.contains(name)
            else { throw MessageError(.forwarded) }
            names.append(name)
            index += 1
            let text =
                index < value.count && value[index] == UInt8(ascii: "\"")
                ? try quoted(value, &index) : try token(value, &index)
            try element.take(text, named: name)
            skipBlanks(value, &index)
            let isEnd = index == value.count || value[index] == UInt8(ascii: ",")
            guard isEnd || value[index] == UInt8(ascii: ";") else {
                throw MessageError(.forwarded)
            }
        }
    }

    private mutating func take(_ text: [UInt8], named name: [UInt8]) throws(MessageError) {
        switch String(decoding: name, as: UTF8.self) {
        case "for":
            guard let node = ForwardedNode(text.span) else { throw MessageError(.forwarded) }
            self.node = node
        case "proto":
            guard let isHTTPS = FrontReader.isHTTPS(text.span) else {
                throw MessageError(.forwarded)
            }
            self.isHTTPS = isHTTPS
        case "host":
            guard Authority.isValid(text.span) else { throw MessageError(.forwarded) }
            host = text
        default:
            break
        }
    }

    private static func skipBlanks(_ value: borrowing Span<UInt8>, _ index: inout Int) {
        while index < value.count, value[index] == 0x20 || value[index] == 0x09 { index += 1 }
    }

    private static func token(
        _ value: borrowing Span<UInt8>, _ index: inout Int
    ) throws(MessageError) -> [UInt8] {
        let start = index
        index = value.tokenEnd(from: start)
        guard index > start else { throw MessageError(.forwarded) }
        return value.extracting(start..<index).array
    }

    /// A quoted string without its quotes and escapes (RFC 9110 §5.6.4).
    private static func quoted(
        _ value: borrowing Span<UInt8>, _ index: inout Int
    ) throws(MessageError) -> [UInt8] {
        var text: [UInt8] = []
        index += 1
        while index < value.count {
            let byte = value[index]
            index += 1
            if byte == UInt8(ascii: "\"") { return text }
            if byte == UInt8(ascii: "\\") {
                guard index < value.count else { break }
                text.append(value[index])
                index += 1
            } else {
                text.append(byte)
            }
        }
        throw MessageError(.forwarded)
    }
}
