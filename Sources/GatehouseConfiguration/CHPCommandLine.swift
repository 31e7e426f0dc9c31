import GatehouseBase

/// The command line of configurable-http-proxy, which JupyterHub writes, and our own flags beside
/// it: words and environment in, the same ``Configuration`` out that YAML fills.
///
/// Above the defaults stand the configuration text, then the environment, then flags. A flag that
/// names an address sets that of the first listener of its role and keeps the rest of it.
public struct CHPCommandLine {
    /// The name that configurable-http-proxy is started by.
    public static let name = "configurable-http-proxy"
    /// The exit status of a command line that cannot be used.
    public static let failureExit: Int32 = 1

    /// Why there is no start.
    enum Refusal: Error {
        /// For standard error.
        case text(String)
        /// For the log.
        case line(String)
    }

    let words: CHPWords
    let environment: [String: String]
    let readFile: ConfigurationDecoder.FileReader
    var configuration: Configuration
    private(set) var lines: [CHPStart.Line] = []

    /// Whether the program was started by configurable-http-proxy's name, by a link for instance.
    public static func isCalled(by argument: String) -> Bool {
        argument.split(separator: "/", omittingEmptySubsequences: false).last == name[...]
    }

    /// Reads the words after the program's name or after `proxy`.
    ///
    /// - Parameter called: how the help names the program.
    public static func read(
        _ words: [String], environment: [String: String], version: String,
        called: String = "gatehouse proxy", readFile: @escaping ConfigurationDecoder.FileReader
    ) -> CHPReading {
        switch CHPWords.read(words) {
        case .help: .print(help(called: called))
        case .version: .print("\(version)\n")
        case .failure(let text): .failure(text)
        case .values(let words): read(words, environment, readFile)
        }
    }

    private static func read(
        _ words: CHPWords, _ environment: [String: String],
        _ readFile: @escaping ConfigurationDecoder.FileReader
    ) -> CHPReading {
        let named = words.text("--config") ?? environment["GATEHOUSE_CONFIG"] ?? ""
        let file = named.isEmpty ? nil : named
        let draft = ConfigurationDecoder.draft(
            file: file, environment: environment, over: defaults, readFile: readFile)
        let report = Diagnostic.report(draft.diagnostics)
        guard !draft.hasErrors else { return .failure(report) }
        var reader = CHPCommandLine(
            words: words, environment: environment, readFile: readFile,
            configuration: draft.configuration)
        for diagnostic in draft.diagnostics { reader.say(.warning, diagnostic.line) }
        do throws(Refusal) {
            try reader.apply()
        } catch {
            switch error {
            case .text(let text): return .failure("error: \(text)\n")
            case .line(let text): return .refused(text, reader.configuration.log)
            }
        }
        let found = Validation.check(reader.configuration, usedUpstreams: draft.usedUpstreams)
        guard !found.contains(where: { $0.severity == .error }) else {
            return .failure(Diagnostic.report(found))
        }
        for diagnostic in Diagnostic.sorted(found) { reader.say(.warning, diagnostic.line) }
        return .run(
            CHPStart(configuration: reader.configuration, lines: reader.lines, file: file))
    }

    /// What differs from the defaults of `gatehouse serve`: settings one by one, so that nothing
    /// else asks which command runs.
    private static var defaults: Configuration {
        var configuration = Configuration()
        configuration.listeners = []
        configuration.access = [
            AccessRuleSettings(path: RulePath(segments: [], coversRest: true), allow: .anyone)
        ]
        configuration.readingsMustAgree = false
        configuration.forwarding.forwardedFields = .append
        configuration.forwarding.upstreamFailures = .unavailable
        // A reader that pauses stalls its own connection only: there is no limit to that.
        configuration.limits.writeStall = nil
        configuration.stop.drains = false
        configuration.stop.exitStatus = 2
        configuration.requiresState = false
        configuration.requiresToken = false
        configuration.reloads = false
        configuration.log.format = .contract
        configuration.log.level = .info
        configuration.log.access = false
        return configuration
    }

    /// In the order in which configurable-http-proxy looks and speaks.
    private mutating func apply() throws(Refusal) {
        applySignIn()
        applyLog()
        let hasTLS = words.text("--ssl-key") != nil || words.text("--ssl-cert") != nil
        if words.text("--redirect-port") != nil, !hasTLS, publicListener?.tls == nil {
            throw .line("HTTPS redirection specified but certificates not provided.")
        }
        try applyForwarding()
        try applyUpstream()
        try applyRoutes()
        let token = try token()
        let tokens = configuration.listeners.filter { $0.role == .api }.map(\.token)
        if token == nil, tokens.isEmpty || tokens.contains(nil) {
            say(.warning, "REST API is not authenticated.")
        }
        try applyListeners()
        try applyFront()
        for index in configuration.listeners.indices
        where configuration.listeners[index].role == .api && token != nil {
            configuration.listeners[index].token = token
            configuration.listeners[index].tokenFile = nil
        }
        try applyOperation()
        diagnoseSignIn()
        if configuration.origins["access"] != nil { configuration.readingsMustAgree = true }
    }

    var publicListener: ListenerSettings? {
        configuration.listeners.first { $0.role == .public && $0.redirect == nil }
    }

    mutating func say(_ level: Log.Level, _ text: String) {
        lines.append(CHPStart.Line(level: level, text: text))
    }

    /// A level that is none is info: configurable-http-proxy writes nothing at all then, and
    /// a slip must not hide why a hub does not work. An empty one is the usual one there, too.
    private mutating func applyLog() {
        if words.has("--access-log") { configuration.log.access = true }
        guard let text = words.text("--log-level") else { return }
        configuration.origins["log.level"] = .flag("--log-level")
        switch text.lowercased() {
        case "debug", "verbose", "silly": configuration.log.level = .debug
        case "info", "http": configuration.log.level = .info
        case "notice": configuration.log.level = .notice
        case "warn", "warning": configuration.log.level = .warning
        case "error": configuration.log.level = .error
        default:
            configuration.log.level = .info
            say(.warning, "'\(text)' is no log level (debug, info, warn, error): it is info")
        }
    }

    /// What clients of the routes API must present, from the environment.
    private func token() throws(Refusal) -> Secret? {
        let direct = environment["CONFIGPROXY_AUTH_TOKEN"] ?? ""
        let file = environment["CONFIGPROXY_AUTH_TOKEN_FILE"] ?? ""
        guard direct.isEmpty || file.isEmpty else {
            throw .text("CONFIGPROXY_AUTH_TOKEN and CONFIGPROXY_AUTH_TOKEN_FILE are both set")
        }
        guard !file.isEmpty else {
            guard !direct.isEmpty else { return nil }
            // Nobody could present a line feed.
            let token = SecretText.withoutLineEnd(Array(direct.utf8))
            guard !token.isEmpty else { throw .text("CONFIGPROXY_AUTH_TOKEN is an empty line") }
            return Secret(token)
        }
        do throws(SecretText.ReadError) {
            return try SecretText.read(file, with: readFile)
        } catch {
            throw .text("CONFIGPROXY_AUTH_TOKEN_FILE is '\(file)', which \(error.reason)")
        }
    }

    /// State, signals, process.
    private mutating func applyOperation() throws(Refusal) {
        if let directory = words.text("--state-dir") {
            configuration.stateDirectory = directory == "none" ? .none : .path(directory)
            configuration.origins["state_dir"] = .flag("--state-dir")
        } else if case .none = configuration.stateDirectory,
            configuration.origins["state_dir"] == nil
        {
            guard !configuration.requiresState else {
                throw .text(
                    "no state directory: STATE_DIRECTORY, XDG_STATE_HOME and HOME are not set, and "
                        + "with 'oidc' there is no start without one; write 'state_dir: none' or "
                        + "add '--state-dir none' to keep keys and sessions in memory alone")
            }
            say(
                .warning,
                "no state directory: STATE_DIRECTORY, XDG_STATE_HOME and HOME are not set, and "
                    + "routes end with this process (--state-dir DIR keeps them)")
        }
        if let backend = words.text("--storage-backend"), backend != "memory" {
            throw .text(
                "option '--storage-backend' is '\(backend)', a module of JavaScript, which cannot "
                    + "be loaded: routes outlive a restart in 'state_dir' (--state-dir DIR)")
        }
        if let file = words.text("--pid-file") {
            configuration.pidFile = file
            configuration.origins["pid_file"] = .flag("--pid-file")
        }
        if words.has("--exit-with-parent") { configuration.stop.endsWithParent = true }
        guard words.has("--drain") else { return }
        let text = words.text("--drain") ?? ""
        do throws(Units.ReadError) {
            configuration.limits.drain = try Units.duration(text)
            configuration.origins["limits.drain"] = .flag("--drain")
            configuration.stop.drains = true
        } catch {
            throw .text("option '--drain' is '\(text)': \(error.message); \(error.hint)")
        }
    }
}
