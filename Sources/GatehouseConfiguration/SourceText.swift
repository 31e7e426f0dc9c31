/// A configuration text and its lines.
struct SourceText: Sendable {
    let name: String
    let text: String
    private let lines: [Substring]
    private var hidden: Set<Int> = []

    init(name: String, text: String) {
        self.name = name
        self.text = text
        lines = SourceText.lines(of: text)
        for (index, line) in lines.enumerated() where SourceText.mayHoldSecret(line) {
            hidden.insert(index)
        }
    }

    /// The lines from `first` to `last` (from 0) are never shown.
    mutating func hide(_ first: Int, through last: Int) {
        hidden.formUnion(first...max(first, last))
    }

    /// The position of a line and a column that are both counted from 0, as libyaml does.
    func position(line: Int, column: Int) -> SourcePosition {
        let shown = lines.indices.contains(line) && !hidden.contains(line)
        return SourcePosition(
            file: name, line: line + 1, column: column + 1,
            text: shown ? String(lines[line]) : nil)
    }

    /// The lines as libyaml counts them: YAML 1.1 §4.2 knows five ends of a line, and one more
    /// that is two characters.
    private static func lines(of text: String) -> [Substring] {
        let scalars = text.unicodeScalars
        var lines: [Substring] = []
        var start = scalars.startIndex
        var index = start
        while index < scalars.endIndex {
            let scalar = scalars[index]
            var next = scalars.index(after: index)
            switch scalar {
            case "\r", "\n", "\u{85}", "\u{2028}", "\u{2029}":
                lines.append(Substring(scalars[start..<index]))
                if scalar == "\r", next < scalars.endIndex, scalars[next] == "\n" {
                    next = scalars.index(after: next)
                }
                start = next
            default: break
            }
            index = next
        }
        lines.append(Substring(scalars[start...]))
        return lines
    }

    /// Whether the line gives a value to a key that sounds like a secret, however it is spelt.
    ///
    /// Judged by its text, since an error may be found before, or because, the key is understood:
    /// `client-secret: hunter2` is an unknown key whose line must not be printed.
    private static func mayHoldSecret(_ line: Substring) -> Bool {
        let bytes = Array(line.lowercased().utf8)
        for word in [
            "secret", "password", "passwd", "token", "keys", "authorization", "cookie",
        ] {
            let pattern = Array(word.utf8)
            guard bytes.count >= pattern.count else { continue }
            for start in 0...(bytes.count - pattern.count)
            where bytes[start...].starts(with: pattern) {
                let rest = bytes[(start + pattern.count)...]
                let suffix = rest.prefix(while: isWordByte)
                let after = rest.dropFirst(suffix.count).drop { isSpaceOrQuote($0) }
                if after.first == UInt8(ascii: ":"), !suffix.elementsEqual("_file".utf8) {
                    return true
                }
            }
        }
        return false
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    private static func isSpaceOrQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }
}
