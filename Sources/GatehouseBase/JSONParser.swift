/// Reads RFC 8259 strictly; recursion is bounded by the depth limit.
struct JSONParser {
    private let bytes: [UInt8]
    private let maximumDepth: Int
    private var offset = 0
    private var depth = 0

    init(_ bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func document() throws(JSONError) -> JSONValue {
        skipBlanks()
        let value = try value()
        skipBlanks()
        guard offset == bytes.count else { throw .syntax(offset: offset) }
        return value
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            offset += 1
        }
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        switch next {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(
        _ word: StaticString, _ value: JSONValue
    ) throws(JSONError) -> JSONValue {
        for byte in word.description.utf8 { try expect(byte) }
        return value
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard next == byte else { throw .syntax(offset: offset) }
        offset += 1
    }

    private mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= maximumDepth else { throw .tooDeep(offset: offset) }
        offset += 1
        skipBlanks()
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        try enter()
        var members: [String: JSONValue] = [:]
        if next == UInt8(ascii: "}") {
            offset += 1
            depth -= 1
            return .object(members)
        }
        while true {
            let start = offset
            let name = try string()
            guard members[name] == nil else { throw .duplicateName(offset: start) }
            skipBlanks()
            try expect(UInt8(ascii: ":"))
            skipBlanks()
            members[name] = try value()
            skipBlanks()
            guard next == UInt8(ascii: ",") else { break }
            offset += 1
            skipBlanks()
        }
        try expect(UInt8(ascii: "}"))
        depth -= 1
        return .object(members)
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        try enter()
        var elements: [JSONValue] = []
        if next == UInt8(ascii: "]") {
            offset += 1
            depth -= 1
            return .array(elements)
        }
        while true {
            elements.append(try value())
            skipBlanks()
            guard next == UInt8(ascii: ",") else { break }
            offset += 1
            skipBlanks()
        }
        try expect(UInt8(ascii: "]"))
        depth -= 1
        return .array(elements)
    }

    private mutating func digits() throws(JSONError) {
        let start = offset
        while let byte = next, isDigit(byte) { offset += 1 }
        guard offset > start else { throw .syntax(offset: offset) }
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = offset
        if next == UInt8(ascii: "-") { offset += 1 }
        if next == UInt8(ascii: "0") { offset += 1 } else { try digits() }
        if next == UInt8(ascii: ".") {
            offset += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            offset += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        guard let number = Double(text), number.isFinite else { throw .number(offset: start) }
        return .number(number)
    }

    private mutating func string() throws(JSONError) -> String {
        try expect(UInt8(ascii: "\""))
        let start = offset
        // What stands before the last escape; what follows it is taken as it is.
        var text: [UInt8] = []
        var plain = start
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw .syntax(offset: offset) }
            offset += 1
            guard byte == UInt8(ascii: "\\") else { continue }
            text += bytes[plain..<offset - 1]
            try escape(into: &text)
            plain = offset
        }
        if plain > start { text += bytes[plain..<offset] }
        let string =
            plain == start
            ? String(validating: bytes.span.extracting(start..<offset))
            : String(validating: text.span)
        try expect(UInt8(ascii: "\""))
        guard let string else { throw .syntax(offset: start) }
        return string
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw .syntax(offset: offset) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += Array(String(Character(try scalar())).utf8)
        default: throw .syntax(offset: offset - 1)
        }
    }

    /// The scalar after `\u`; half of a surrogate pair alone is no text (RFC 8259 §8.2).
    private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
        let start = offset
        var code = try unit()
        if code & 0xFC00 == 0xD800 {
            try expect(UInt8(ascii: "\\"))
            try expect(UInt8(ascii: "u"))
            let low = try unit()
            guard low & 0xFC00 == 0xDC00 else { throw .syntax(offset: start) }
            code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
        }
        guard let scalar = Unicode.Scalar(code) else { throw .syntax(offset: start) }
        return scalar
    }

    private mutating func unit() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let value = ASCII.hexValue(byte) else {
                throw .syntax(offset: offset)
            }
            code = code << 4 | UInt32(value)
            offset += 1
        }
        return code
    }
}
