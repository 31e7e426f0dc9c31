import CYAML

/// A node of a YAML document with its place in the text.
///
/// Only what a configuration needs: scalars, sequences and mappings with scalar keys. Anchors,
/// aliases and tags are refused when the tree is built, so that a text of one kilobyte can never
/// stand for a tree of one gigabyte.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        /// A plain scalar may stand for nothing, a truth value or a number; a quoted one is text.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    struct Entry: Sendable {
        let key: String
        let keyPosition: SourcePosition
        let value: YAMLNode
        /// Where the value ends, counted from 0.
        let lastLine: Int

        /// A key as messages name it: up to what cannot be in a name, since `client_secret:hunter2`
        /// is a key in YAML.
        static func shown(_ key: String) -> String {
            let name = key.prefix { $0.isLetter || $0.isNumber || "_-./*<".contains($0) }
            return name.count == key.count ? key : name + "…"
        }
    }

    let content: Content
    let position: SourcePosition

    /// Whether this is `null`, `~` or nothing at all.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }

    var isSequence: Bool {
        if case .sequence = content { true } else { false }
    }

    /// What this is, for messages.
    var kind: String {
        switch content {
        case .scalar: "a single value"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

extension YAMLEvent {
    /// The most events that are read: many times what a configuration has.
    static let limit = 50_000

    /// Reads all events of `text`, up to the first error of syntax.
    static func read(_ text: String) -> (events: [Marked], error: SyntaxError?) {
        var bytes = Array(text.utf8)
        // libyaml wants a pointer even for an empty input.
        if bytes.isEmpty { bytes = [UInt8(ascii: "\n")] }
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        // Sound: `parser` is freed here only, after the last use, on every path.
        defer { unsafe parser.deallocate() }
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            return ([], SyntaxError(problem: "no memory for its parser", line: 0, column: 0))
        }
        // Sound: initialised above; libyaml frees what it allocated itself.
        defer { unsafe yaml_parser_delete(parser) }
        // Sound: libyaml keeps the pointer only until the parser is deleted, and reads nothing
        // of it outside this closure, in which the bytes do not move.
        return unsafe bytes.withUnsafeBufferPointer { input in
            unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
            unsafe yaml_parser_set_input_string(parser, input.baseAddress, input.count)
            return unsafe readAll(parser, input)
        }
    }

    /// Sound as long as `parser` is initialised and its input lives, which ``read(_:)`` sees to.
    private static func readAll(
        _ parser: UnsafeMutablePointer<yaml_parser_t>, _ input: UnsafeBufferPointer<UInt8>
    ) -> (events: [Marked], error: SyntaxError?) {
        var events: [Marked] = []
        while true {
            var event = unsafe yaml_event_t()
            guard unsafe yaml_parser_parse(parser, &event) == 1 else {
                return (events, unsafe syntaxError(parser.pointee, in: input))
            }
            // Sound: a parsed event owns its strings until this; they have been copied by then.
            defer { unsafe yaml_event_delete(&event) }
            if unsafe event.type == YAML_STREAM_END_EVENT { return (events, nil) }
            let line = unsafe Int(event.start_mark.line)
            let column = unsafe Int(event.start_mark.column)
            if events.count >= limit {
                return (events, SyntaxError(problem: "it is too long", line: line, column: column))
            }
            if let value = unsafe YAMLEvent(event) {
                let endLine = unsafe Int(event.end_mark.line)
                events.append(Marked(event: value, line: line, column: column, endLine: endLine))
            }
        }
    }

    /// Sound: which member of the union is valid is told by the type.
    private init?(_ event: yaml_event_t) {
        switch unsafe event.type {
        case YAML_DOCUMENT_START_EVENT:
            let start = unsafe event.data.document_start.tag_directives.start
            let end = unsafe event.data.document_start.tag_directives.end
            self = .documentStart(hasTagDirectives: unsafe start != end)
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            // Sound: libyaml gives a valid pointer to `length` bytes of valid UTF-8.
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            self = .scalar(
                text: unsafe String(decoding: bytes, as: UTF8.self),
                isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE,
                properties: unsafe Properties(
                    anchor: text(scalar.anchor), tag: text(scalar.tag)))
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.data.sequence_start
            self = unsafe .sequenceStart(
                Properties(anchor: text(start.anchor), tag: text(start.tag)))
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.data.mapping_start
            self = unsafe .mappingStart(
                Properties(anchor: text(start.anchor), tag: text(start.tag)))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            self = .collectionEnd
        case YAML_ALIAS_EVENT:
            self = .alias(name: unsafe text(event.data.alias.anchor) ?? "")
        default:
            return nil
        }
    }

    /// Sound: the strings of a parser are static ones or nil.
    private static func syntaxError(
        _ parser: yaml_parser_t, in bytes: UnsafeBufferPointer<UInt8>
    ) -> SyntaxError {
        let problem = unsafe parser.problem.map { unsafe String(cString: $0) }
        var line = unsafe Int(parser.problem_mark.line)
        var column = unsafe Int(parser.problem_mark.column)
        if unsafe parser.error == YAML_READER_ERROR {
            // The reader is ahead of the marks and tells the byte at fault instead.
            let before = unsafe bytes.prefix(Int(parser.problem_offset))
            line = unsafe before.count { $0 == UInt8(ascii: "\n") }
            let start = unsafe before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            column = unsafe before[start...].count { $0 & 0xC0 != 0x80 }
        }
        return SyntaxError(problem: problem ?? "it cannot be read", line: line, column: column)
    }
}

/// Sound: libyaml's anchors and tags are nil or end in a zero byte.
private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    unsafe pointer.map { unsafe String(cString: $0) }
}
