import GatehouseBase

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

    /// The position of what is said before the keys around it are understood. The line is shown
    /// only where each of its keys is a setting's name: the value of another may be a secret.
    func positionInDoubt(line: Int, column: Int) -> SourcePosition {
        let place = position(line: line, column: column)
        let keys = place.text.map { SourceText.keys(in: $0[...]).filter(\.isCertain) } ?? []
        let isKnown = !keys.isEmpty && keys.allSatisfy { Schema.names.contains($0.name) }
        return isKnown ? place : place.withoutText
    }

    /// Whether the line gives a value to a key that sounds like a secret, however it is spelt, or
    /// has a URL with what may be a password.
    ///
    /// Judged by its text, since an error may be found before, or because, the key is understood:
    /// `client-secret: hunter2` is an unknown key whose line must not be printed.
    private static func mayHoldSecret(_ line: Substring) -> Bool {
        let text = String(line)
        return URLText.withoutUserInformation(text) != text
            || keys(in: line).contains { isSecret($0.name) }
    }

    /// Whether a key of this name has, or sounds as if it had, a secret as its value.
    static func isSecret(_ key: String) -> Bool {
        if Schema.secrets.contains(key) { return true }
        // What is not built yet is judged by its name, as what is no setting.
        if Schema.built.contains(key) || key.hasSuffix("_file") { return false }
        let name = key.lowercased()
        let words = [
            "secret", "password", "passwd", "passphrase", "token", "authorization", "cookie",
        ]
        if words.contains(where: { name.contains($0) }) { return true }
        // Not Keycloak.
        return name.split(whereSeparator: { "_-.".contains($0) }).contains {
            $0.hasSuffix("key") || $0.hasSuffix("keys")
        }
    }

    /// What stands before each colon of a line; certain are those that YAML takes for keys.
    private static func keys(in line: Substring) -> [(name: String, isCertain: Bool)] {
        let bytes = Array(line.utf8)
        var keys: [(name: String, isCertain: Bool)] = []
        for colon in bytes.indices where bytes[colon] == UInt8(ascii: ":") {
            var end = colon
            while end > 0, isSpaceOrQuote(bytes[end - 1]) { end -= 1 }
            var start = end
            while start > 0, !isDelimiter(bytes[start - 1]) { start -= 1 }
            guard start < end else { continue }
            let isQuoted = end < colon && bytes[colon - 1] != UInt8(ascii: " ")
            let next = colon + 1 < bytes.count ? bytes[colon + 1] : UInt8(ascii: " ")
            // The port or the slashes of an address.
            if ASCII.isDigit(next) || next == UInt8(ascii: "/") { continue }
            keys.append(
                (String(decoding: bytes[start..<end], as: UTF8.self), isQuoted || next <= 0x20))
        }
        return keys
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        byte <= 0x20 || "\"'{}[],:#".utf8.contains(byte)
    }

    private static func isSpaceOrQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }
}
