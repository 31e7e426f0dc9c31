import GatehouseBase

/// Makes a ``Configuration`` of a text and the environment, and says everything that is wrong.
///
/// Reads no file itself: `readFile` does, so that nothing here needs a disk. A path in the text is
/// relative to the directory of its file.
public struct ConfigurationDecoder {
    /// Reads a whole file; what it throws is shown as its description.
    public typealias FileReader = (String) throws -> [UInt8]

    var configuration: Configuration
    var diagnostics: [Diagnostic] = []
    let directory: String
    let environment: [String: String]
    let readFile: FileReader
    /// The keys below `upstreams`, also of those that could not be read.
    var upstreamNames: [String] = []
    /// What routes name of them, also those routes that could not be read.
    var usedUpstreams: Set<String> = []
    /// Lines, from 1, of keys that are no setting: whatever else is said of them, they are not shown.
    var hiddenLines: Set<Int> = []

    /// Reads `file`, or the text in `GATEHOUSE_CONFIG_YAML` where `file` is nil.
    public static func decode(
        file: String?, environment: [String: String], readFile: @escaping FileReader
    ) -> DecodedConfiguration {
        draft(file: file, environment: environment, over: Configuration(), readFile: readFile)
            .validated()
    }

    /// Reads a text that is at hand. Relative paths are put below `directory`, or stay relative to
    /// the working directory where it is empty.
    public static func decode(
        text: String, name: String, directory: String = "", environment: [String: String],
        readFile: @escaping FileReader
    ) -> DecodedConfiguration {
        let base = directory.isEmpty || directory.hasSuffix("/") ? directory : directory + "/"
        let decoder = ConfigurationDecoder(
            configuration: Configuration(), directory: base, environment: environment,
            readFile: readFile)
        return decoder.draft(of: Array(text.utf8), name: name).validated()
    }

    /// As ``decode(file:environment:readFile:)``, over other defaults, and without the rules that
    /// span settings: flags may still change them.
    static func draft(
        file: String?, environment: [String: String], over defaults: Configuration,
        readFile: @escaping FileReader
    ) -> ConfigurationDraft {
        let variable = "GATEHOUSE_CONFIG_YAML"
        let text = environment[variable] ?? ""
        let directory = file.flatMap { file in
            file.lastIndex(of: "/").map { String(file[...$0]) }
        }
        var decoder = ConfigurationDecoder(
            configuration: defaults, directory: directory ?? "", environment: environment,
            readFile: readFile)
        guard let file else { return decoder.draft(of: Array(text.utf8), name: variable) }
        let bytes: [UInt8]
        do {
            bytes = try readFile(file)
        } catch {
            let diagnostic = Diagnostic(
                .error, source: file, "the configuration cannot be read: \(error)")
            return ConfigurationDraft(
                configuration: defaults, diagnostics: [diagnostic], name: file)
        }
        if !text.isEmpty {
            decoder.diagnostics.append(
                Diagnostic(
                    .warning, source: "environment \(variable)",
                    "not read, because a file is named", hint: "leave one of them out"))
        }
        return decoder.draft(of: bytes, name: file)
    }

    private consuming func draft(of bytes: [UInt8], name: String) -> ConfigurationDraft {
        let tree = YAMLTreeBuilder.build(bytes, name: name)
        diagnostics += tree.diagnostics
        let isReadable = tree.root.map { readRoot($0) } ?? false
        hideLines()
        return ConfigurationDraft(
            configuration: configuration, diagnostics: diagnostics, usedUpstreams: usedUpstreams,
            isReadable: isReadable, name: name)
    }

    private init(
        configuration: Configuration, directory: String, environment: [String: String],
        readFile: @escaping FileReader
    ) {
        self.configuration = configuration
        self.directory = directory
        self.environment = environment
        self.readFile = readFile
    }

    private mutating func hideLines() {
        guard !hiddenLines.isEmpty else { return }
        diagnostics = diagnostics.map { one in
            guard let place = one.position, hiddenLines.contains(place.line) else { return one }
            return Diagnostic(one.severity, at: place.withoutText, one.message, hint: one.hint)
        }
        configuration.origins = configuration.origins.mapValues { origin in
            guard case .written(let place) = origin, hiddenLines.contains(place.line) else {
                return origin
            }
            return .written(place.withoutText)
        }
    }

    /// False where the text is no mapping at all.
    private mutating func readRoot(_ node: YAMLNode) -> Bool {
        let empty = YAMLNode(content: .mapping([]), position: node.position)
        guard let root = mapping(node.isNull ? empty : node, at: "", Schema.root) else {
            return false
        }
        readPublicURLs(root)
        readStateDirectory(root)
        if let file = root["keys_file"] { configuration.keysFile = path(file, at: "keys_file") }
        readKeys()
        readLoops(root)
        readListeners(root)
        // Upstreams take their times from the limits.
        readLimits(root)
        readUpstreams(root)
        readRoutes(root)
        readRoutesAPI(root)
        readForwarding(root)
        readAccess(root)
        readProvider(root)
        readSession(root)
        if let node = root["identity"],
            let identity = mapping(node, at: "identity", Schema.identity)
        {
            configuration.identityHeaders = headers(identity).compactMapValues { $0 }
        }
        readJupyterHub(root)
        readLog(root)
        return true
    }

    private mutating func readPublicURLs(_ root: MappingReader) {
        guard let node = root["public_urls"] else { return }
        for (index, item) in list(node, at: "public_urls").enumerated() {
            let path = "public_urls[\(index)]"
            guard let origin = origin(item, at: path) else { continue }
            if configuration.publicURLs.contains(origin) {
                fail(item, "'\(path)' is '\(origin)', which is there already", hint: "remove it")
                continue
            }
            configuration.publicURLs.append(origin)
        }
    }

    private mutating func readStateDirectory(_ root: MappingReader) {
        if let node = root["state_dir"] {
            if isWord(node, "none") {
                wrote("state_dir", node)
                configuration.stateDirectory = .none
            } else if let directory = path(node, at: "state_dir") {
                configuration.stateDirectory = .path(directory)
            }
            return
        }
        // systemd names several directories with colons between them (systemd.exec(5)).
        if let first = variable("STATE_DIRECTORY")?.split(separator: ":").first {
            configuration.stateDirectory = .path(String(first))
            configuration.origins["state_dir"] = .environment("STATE_DIRECTORY")
        } else if let base = variable("XDG_STATE_HOME"), base.hasPrefix("/") {
            configuration.stateDirectory = .path("\(base)/gatehouse")
            configuration.origins["state_dir"] = .environment("XDG_STATE_HOME")
        } else if let home = variable("HOME"), home.hasPrefix("/") {
            let base = home == "/" ? "" : home
            configuration.stateDirectory = .path("\(base)/.local/state/gatehouse")
        } else if configuration.requiresState {
            diagnostics.append(
                Diagnostic(
                    .error, at: root.position,
                    "'state_dir' has no default here: neither STATE_DIRECTORY, XDG_STATE_HOME nor "
                        + "HOME is set",
                    hint: "write 'state_dir: /var/lib/gatehouse', or 'state_dir: none'"))
        }
    }

    private mutating func readKeys() {
        guard let text = variable("GATEHOUSE_KEYS") else { return }
        configuration.keys = Secret(text)
        configuration.origins["keys"] = .environment("GATEHOUSE_KEYS")
    }

    private mutating func readLoops(_ root: MappingReader) {
        if let node = root["loops"] {
            if isWord(node, "auto") {
                wrote("loops", node)
            } else if let count = number(node, at: "loops", in: 1...64, or: "'auto'") {
                configuration.loops = .count(count)
            }
        }
        guard let text = variable("GATEHOUSE_LOOPS") else { return }
        if text == "auto" {
            configuration.loops = .auto
        } else if let count = Int(text), (1...64).contains(count) {
            configuration.loops = .count(count)
        } else {
            diagnostics.append(
                Diagnostic(
                    .error, source: "environment GATEHOUSE_LOOPS",
                    "'\(quoted(text))' is neither 'auto' nor a number from 1 to 64"))
        }
        configuration.origins["loops"] = .environment("GATEHOUSE_LOOPS")
    }

    /// An environment variable; an empty one counts as none, since charts set them so.
    func variable(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
