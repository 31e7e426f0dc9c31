import GatehouseBase

/// Single values: each says what is wrong with it and remembers where it was written.
extension ConfigurationDecoder {
    mutating func fail(_ node: YAMLNode, _ message: String, hint: String? = nil) {
        diagnostics.append(Diagnostic(.error, at: node.position, message, hint: hint))
    }

    mutating func wrote(_ path: String, _ node: YAMLNode) {
        configuration.origins[path] = .written(node.position)
    }

    /// A value as it is shown: on one line and not too long.
    func quoted(_ text: String) -> String {
        let text = URLText.withoutUserInformation(text)
        let shown = text.prefix(60).map { $0.isNewline || $0 < " " ? " " : $0 }
        return String(shown) + (text.count > 60 ? "…" : "")
    }

    /// Checks the keys of a mapping and hands it over for reading.
    mutating func mapping(
        _ node: YAMLNode, at path: String, _ table: KeyTable
    ) -> MappingReader? {
        guard let entries = entries(node, at: path) else { return nil }
        for entry in entries where !table.built.contains(entry.key) {
            let key = YAMLNode.Entry.shown(entry.key)
            let name = quoted(path.isEmpty ? key : "\(path).\(key)")
            let message: String
            let hint: String?
            var place = entry.keyPosition
            if table.waiting.contains(entry.key) {
                message = "'\(name)' is not built yet"
                hint = "remove it"
            } else {
                message = "'\(name)' is no setting"
                // It may be a misspelt one with a secret: key and place alone are shown.
                place = place.withoutText
                hiddenLines.formUnion(place.line...max(place.line, entry.lastLine + 1))
                let known = table.built + table.waiting
                hint =
                    Suggestion.hint(for: entry.key, among: known)
                    ?? (known.count <= 8 ? "there are \(known.joined(separator: ", "))" : nil)
            }
            diagnostics.append(Diagnostic(.error, at: place, message, hint: hint))
        }
        return MappingReader(path: path, position: node.position, entries: entries)
    }

    /// The entries of a mapping whose keys are names.
    mutating func entries(_ node: YAMLNode, at path: String) -> [YAMLNode.Entry]? {
        // Also where it is no mapping: what was written wrongly is not missing.
        if !path.isEmpty { wrote(path, node) }
        guard case .mapping(let entries) = node.content else {
            let name = path.isEmpty ? "the configuration" : "'\(path)'"
            fail(node, "\(name) is \(node.kind), not a mapping", hint: "such as 'key: value'")
            return nil
        }
        return entries
    }

    mutating func list(_ node: YAMLNode, at path: String) -> [YAMLNode] {
        wrote(path, node)
        guard case .sequence(let items) = node.content else {
            fail(node, "'\(path)' is \(node.kind), not a list", hint: "such as '[one, two]'")
            // It is no list that was left empty.
            wrote("\(path)[0]", node)
            return []
        }
        return items
    }

    /// A single value that is not empty.
    mutating func text(_ node: YAMLNode, at path: String) -> String? {
        guard case .scalar(let text, _) = node.content else {
            fail(node, "'\(path)' is \(node.kind), not a single value")
            return nil
        }
        guard !text.isEmpty, !node.isNull else {
            fail(node, "'\(path)' is empty", hint: "write a value, or leave it out")
            return nil
        }
        wrote(path, node)
        return text
    }

    /// A single value without spaces or control characters.
    mutating func token(_ node: YAMLNode, at path: String) -> String? {
        guard let text = text(node, at: path) else { return nil }
        guard text.unicodeScalars.allSatisfy({ $0 > " " && $0 != "\u{7F}" }) else {
            fail(node, "'\(path)' is '\(quoted(text))': there must be no space in it")
            return nil
        }
        return text
    }

    mutating func texts(_ node: YAMLNode, at path: String) -> [String] {
        var texts: [String] = []
        for (index, item) in list(node, at: path).enumerated() {
            if let text = token(item, at: "\(path)[\(index)]") { texts.append(text) }
        }
        return texts
    }

    func isWord(_ node: YAMLNode, _ word: String) -> Bool {
        guard case .scalar(let text, _) = node.content else { return false }
        return text == word
    }

    mutating func flag(_ node: YAMLNode, at path: String) -> Bool? {
        guard let text = text(node, at: path) else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default:
            let meant = ["yes", "on", "y", "1"].contains(text.lowercased()) ? "true" : "false"
            fail(
                node, "'\(path)' is '\(quoted(text))': it is true or false",
                hint: "write '\(meant)'")
            return nil
        }
    }

    /// A whole number in `range`; `alternative` is what else may stand there.
    mutating func number(
        _ node: YAMLNode, at path: String, in range: ClosedRange<Int>, or alternative: String? = nil
    ) -> Int? {
        guard let text = text(node, at: path) else { return nil }
        let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isNumber, let number = Int(text), range.contains(number) else {
            let other = alternative.map { "\($0) or " } ?? ""
            let bounds =
                range.upperBound == .max
                ? "of at least \(range.lowerBound)"
                : "from \(range.lowerBound) to \(range.upperBound)"
            fail(
                node, "'\(path)' is '\(quoted(text))': it is \(other)a whole number \(bounds)")
            return nil
        }
        return number
    }

    /// A duration of more than nothing.
    mutating func duration(_ node: YAMLNode, at path: String) -> Duration? {
        guard let text = text(node, at: path) else { return nil }
        do throws(Units.ReadError) {
            let duration = try Units.duration(text)
            guard duration > .zero else {
                throw Units.ReadError(message: "it must be more than nothing", hint: "such as '5s'")
            }
            return duration
        } catch {
            let hint = text == "none" ? "'none' is not allowed here; \(error.hint)" : error.hint
            fail(node, "'\(path)' is '\(quoted(text))': \(error.message)", hint: hint)
            return nil
        }
    }

    /// A duration, or nil for `none`.
    mutating func duration(orNone key: String, _ reader: MappingReader) -> Duration? {
        guard let node = reader[key] else { return nil }
        guard isWord(node, "none") else { return duration(node, at: reader.path(of: key)) }
        wrote(reader.path(of: key), node)
        return nil
    }

    /// A size, or nil for `none`.
    mutating func size(orNone key: String, _ reader: MappingReader) -> Int? {
        guard let node = reader[key] else { return nil }
        guard isWord(node, "none") else { return size(node, at: reader.path(of: key)) }
        wrote(reader.path(of: key), node)
        return nil
    }

    /// A size of more than nothing, in bytes.
    mutating func size(_ node: YAMLNode, at path: String) -> Int? {
        guard let text = text(node, at: path) else { return nil }
        do throws(Units.ReadError) {
            let size = try Units.size(text)
            guard size > 0 else {
                throw Units.ReadError(
                    message: "it must be more than nothing", hint: "such as '1 B'")
            }
            return size
        } catch {
            fail(node, "'\(path)' is '\(quoted(text))': \(error.message)", hint: error.hint)
            return nil
        }
    }

    /// One of the words of `type`, or of those that `waiting` has a place for.
    mutating func word<Word: RawRepresentable<String> & CaseIterable>(
        _ node: YAMLNode, at path: String, as type: Word.Type, waiting: [String] = []
    ) -> Word? {
        guard let text = text(node, at: path) else { return nil }
        if let word = Word(rawValue: text) { return word }
        oneOf(Word.allCases.map(\.rawValue), node, text, at: path, waiting: waiting)
        return nil
    }

    /// Says that a value is none of `words`.
    mutating func oneOf(
        _ words: [String], _ node: YAMLNode, _ text: String, at path: String, waiting: [String] = []
    ) {
        if waiting.contains(text) {
            fail(
                node, "'\(path)' is '\(text)', which is not built yet",
                hint: "there is \(words.joined(separator: ", "))")
            return
        }
        fail(
            node, "'\(path)' is '\(quoted(text))': it is \(words.joined(separator: " or "))",
            hint: Suggestion.hint(for: text, among: words))
    }

    /// A path, put below the directory of the configuration where it is relative.
    mutating func path(_ node: YAMLNode, at path: String) -> String? {
        guard let text = text(node, at: path) else { return nil }
        guard !text.utf8.contains(0) else {
            fail(node, "'\(path)' holds a zero byte")
            return nil
        }
        guard !text.hasPrefix("~") else {
            fail(
                node, "'\(path)' is '\(quoted(text))': ~ stands for nothing here",
                hint: "write the whole path")
            return nil
        }
        return text.hasPrefix("/") ? text : directory + text
    }

    mutating func origin(_ node: YAMLNode, at path: String) -> Origin? {
        guard let text = text(node, at: path) else { return nil }
        do throws(Origin.ParseError) {
            return try Origin(parsing: text)
        } catch {
            fail(
                node, "'\(path)' is '\(quoted(text))', which is no origin: \(error.reason)",
                hint: originHint(text, error, at: path))
            return nil
        }
    }

    private func originHint(
        _ text: String, _ error: Origin.ParseError, at path: String
    ) -> String {
        switch error {
        case .noScheme where !text.contains("/"):
            let scheme = path.hasPrefix("public_urls") ? "https" : "http"
            return "write '\(scheme)://\(quoted(text))'"
        case .path:
            let authority = text.split(separator: "/", maxSplits: 2).dropFirst().first
            let scheme = text.prefix { $0 != ":" }
            if let authority, authority.utf8.allSatisfy({ $0 != 0x3F && $0 != 0x23 }) {
                return "write '\(scheme)://\(quoted(String(authority)))'"
            }
            return "scheme, host and port only"
        default: return "such as 'https://hub.example.org' or 'http://hub:8081'"
        }
    }

    /// A host without port, in lower case.
    mutating func host(_ node: YAMLNode, at path: String) -> String? {
        guard let text = text(node, at: path) else { return nil }
        guard let origin = try? Origin(parsing: "http://\(text)"),
            origin.port == 80, !text.hasSuffix(":80")
        else {
            fail(
                node, "'\(path)' is '\(quoted(text))', which is no host",
                hint: "a name such as 'hub.example.org', without scheme and port")
            return nil
        }
        return origin.host
    }
}
