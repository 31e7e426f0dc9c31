/// Makes the tree of a YAML text and says everything that is wrong with it.
struct YAMLTreeBuilder {
    /// The deepest nesting; the schema needs seven.
    static let depthLimit = 32
    /// The longest text in bytes.
    static let sizeLimit = 1024 * 1024

    private(set) var source: SourceText
    private(set) var diagnostics: [Diagnostic] = []
    private var events: [YAMLEvent.Marked] = []
    private var next = 0

    /// Builds the tree of `bytes`; nil where there is none, with diagnostics that say why.
    ///
    /// An empty text is an empty mapping.
    static func build(
        _ bytes: [UInt8], name: String
    ) -> (root: YAMLNode?, source: SourceText, diagnostics: [Diagnostic]) {
        var input = bytes[...]
        if input.starts(with: [0xEF, 0xBB, 0xBF]) { input = input.dropFirst(3) }
        guard input.count <= sizeLimit else {
            return failure(name, "the configuration is longer than 1 MiB", hint: nil)
        }
        guard let text = String(validating: input, as: UTF8.self) else {
            return failure(name, "the configuration is not UTF-8", hint: "save it as UTF-8")
        }
        var builder = YAMLTreeBuilder(source: SourceText(name: name, text: text))
        let root = builder.buildRoot()
        return (root, builder.source, builder.diagnostics)
    }

    private init(source: SourceText) { self.source = source }

    private static func failure(
        _ name: String, _ message: String, hint: String?
    ) -> (root: YAMLNode?, source: SourceText, diagnostics: [Diagnostic]) {
        let diagnostic = Diagnostic(.error, source: name, message, hint: hint)
        return (nil, SourceText(name: name, text: ""), [diagnostic])
    }

    private mutating func buildRoot() -> YAMLNode? {
        let (events, error) = YAMLEvent.read(source.text)
        self.events = events
        hideSecrets()
        if let error {
            report(error)
            return nil
        }
        guard let first = events.first else {
            return YAMLNode(content: .mapping([]), position: position(0, 0))
        }
        if case .documentStart(hasTagDirectives: true) = first.event {
            fail(first, "a configuration has no %TAG directives", hint: "remove it")
        }
        next = 1
        let root = node(depth: 0)
        if next < events.count {
            fail(
                events[next], "a second document begins here",
                hint: "a configuration is one document")
        }
        return root
    }

    /// The node that begins with the next event; nil where it was refused. All its events are
    /// consumed in either case, so that what follows is still looked at.
    private mutating func node(depth: Int) -> YAMLNode? {
        guard next < events.count else { return nil }
        let marked = events[next]
        next += 1
        let place = position(marked.line, marked.column)
        switch marked.event {
        case .scalar(let text, let isPlain, let properties):
            guard accept(properties, marked) else { return nil }
            return YAMLNode(content: .scalar(text, isPlain: isPlain), position: place)
        case .sequenceStart(let properties):
            let accepted = accept(properties, marked) && depthAllowed(depth, marked)
            guard accepted else {
                skipCollection()
                return nil
            }
            return YAMLNode(content: .sequence(items(depth: depth + 1)), position: place)
        case .mappingStart(let properties):
            let accepted = accept(properties, marked) && depthAllowed(depth, marked)
            guard accepted else {
                skipCollection()
                return nil
            }
            return YAMLNode(content: .mapping(entries(depth: depth + 1)), position: place)
        case .alias:
            fail(
                marked, "what begins with * is an alias; a configuration has none",
                hint: "write the value out; a text that begins with * needs quotes")
            return nil
        case .documentStart, .collectionEnd:
            return nil
        }
    }

    private mutating func items(depth: Int) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while !atCollectionEnd() {
            if let item = node(depth: depth) { items.append(item) }
        }
        next += 1
        return items
    }

    private mutating func entries(depth: Int) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var places: [String: Int] = [:]
        while !atCollectionEnd() {
            let keyMark = events[next]
            let key = node(depth: depth)
            let valueStart = next
            let value = node(depth: depth)
            guard let key else { continue }
            guard case .scalar(let name, _) = key.content else {
                fail(keyMark, "a key is a name, not \(key.kind)", hint: nil)
                continue
            }
            if let line = places[name] {
                fail(
                    keyMark, "'\(YAMLNode.Entry.shown(name))' is written twice in one mapping",
                    hint: "the first is in line \(line)")
                continue
            }
            places[name] = key.position.line
            if let value {
                entries.append(
                    YAMLNode.Entry(
                        key: name, keyPosition: key.position, value: value,
                        lastLine: lastLine(from: valueStart)))
            }
        }
        next += 1
        return entries
    }

    private func atCollectionEnd() -> Bool {
        guard next < events.count else { return true }
        if case .collectionEnd = events[next].event { return true }
        return false
    }

    /// Passes over the rest of a collection whose start has been consumed.
    private mutating func skipCollection() {
        var depth = 1
        while depth > 0, next < events.count {
            switch events[next].event {
            case .sequenceStart, .mappingStart: depth += 1
            case .collectionEnd: depth -= 1
            case .documentStart, .scalar, .alias: break
            }
            next += 1
        }
    }

    private mutating func accept(
        _ properties: YAMLEvent.Properties, _ marked: YAMLEvent.Marked
    ) -> Bool {
        // The name of neither is shown: a password may begin with these characters.
        if properties.anchor != nil {
            fail(
                marked, "what begins with & is an anchor; a configuration has none",
                hint: "write the value out where it is needed; a text that begins with & needs "
                    + "quotes")
        }
        if properties.tag != nil {
            fail(
                marked, "what begins with ! is a tag; a configuration has none",
                hint: "a text that begins with ! needs quotes")
        }
        return properties.anchor == nil && properties.tag == nil
    }

    private mutating func depthAllowed(_ depth: Int, _ marked: YAMLEvent.Marked) -> Bool {
        guard depth >= YAMLTreeBuilder.depthLimit else { return true }
        fail(
            marked, "nested deeper than \(YAMLTreeBuilder.depthLimit) levels",
            hint: "no setting is that deep")
        return false
    }

    /// Takes the lines of a value that a secret key has out of what may be shown. The text alone
    /// tells the line of the key, but not how far a value in several lines goes.
    private mutating func hideSecrets() {
        // Of each open collection: whether a key comes next; nil in a list.
        var open: [Bool?] = []
        for index in events.indices {
            let event = events[index].event
            switch event {
            case .collectionEnd:
                _ = open.popLast()
                continue
            case .documentStart: continue
            case .scalar, .alias, .sequenceStart, .mappingStart: break
            }
            let isKey = open.last.flatMap(\.self)
            if let isKey { open[open.count - 1] = !isKey }
            if case .mappingStart = event { open.append(true) }
            if case .sequenceStart = event { open.append(nil) }
            guard isKey == true, case .scalar(let key, _, _) = event, SourceText.isSecret(key),
                index + 1 < events.count
            else { continue }
            source.hide(events[index + 1].line, through: events[index + 1].endLine)
        }
    }

    /// The last line of what has been read since the event `start`.
    private func lastLine(from start: Int) -> Int {
        var last = 0
        for marked in events[start..<min(next, events.count)] {
            // A collection ends where the next thing begins.
            if case .collectionEnd = marked.event { continue }
            last = max(last, marked.endLine)
        }
        return last
    }

    private mutating func report(_ error: YAMLEvent.SyntaxError) {
        let place = source.positionInDoubt(line: error.line, column: error.column)
        let leading = place.text?.prefix { $0 == " " || $0 == "\t" }
        let hasTab = leading?.contains("\t") ?? false
        diagnostics.append(
            Diagnostic(
                .error, at: place, "this is not YAML: \(error.problem)",
                hint: hasTab ? "indent with spaces, not with tabs" : nil))
    }

    private mutating func fail(_ marked: YAMLEvent.Marked, _ message: String, hint: String?) {
        let place = source.positionInDoubt(line: marked.line, column: marked.column)
        diagnostics.append(Diagnostic(.error, at: place, message, hint: hint))
    }

    private func position(_ line: Int, _ column: Int) -> SourcePosition {
        source.position(line: line, column: column)
    }
}
