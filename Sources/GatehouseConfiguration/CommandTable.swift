/// The commands, their flags and their help: one table, from which the words are read and the
/// help is written.
public struct CommandTable: Sendable {
    /// The exit status of a command line that cannot be understood (EX_USAGE of sysexits.h).
    public static let usageExit: Int32 = 64

    /// One flag of a command.
    struct Flag: Sendable {
        /// With its dashes.
        let name: String
        /// What stands for its value in the help; nil for a flag that has none.
        let value: String?
        let help: String
    }

    /// One command.
    struct Entry: Sendable {
        let name: String
        /// What stands for its words in the help.
        let words: [String]
        let flags: [Flag]
        /// One line, without a full stop.
        let summary: String
        /// What else a reader should know.
        let details: String
    }

    private static let help = Flag(name: "--help", value: nil, help: "print this and exit")

    static let entries = [
        Entry(
            name: "serve", words: [],
            flags: [
                Flag(
                    name: "--config", value: "FILE",
                    help: "the configuration; not needed where GATEHOUSE_CONFIG_YAML holds its text"
                ),
                help,
            ],
            summary: "run the gateway until SIGTERM or SIGINT",
            details: """
                SIGHUP reads configuration and certificates again; a mistake changes nothing and is
                logged. The environment wins over the file: GATEHOUSE_LOOPS,
                GATEHOUSE_OIDC_CLIENT_SECRET, GATEHOUSE_KEYS.
                """),
        Entry(
            name: "check", words: ["FILE"], flags: [help],
            summary: "check a configuration and print the settings in force",
            details: """
                FILE is - for standard input; it is not needed where GATEHOUSE_CONFIG_YAML holds the
                text. Reads every file that the configuration names, touches no network and binds no
                address. Standard output has the settings with their origin and, as comments, the
                URLs that the provider's client must hold; standard error has what is wrong. Exit 0,
                1 with errors, 64 for wrong usage.
                """),
        Entry(
            name: "proxy", words: ["[options]"], flags: [],
            summary: "stand in for configurable-http-proxy, with its options", details: ""),
    ]

    /// Commands of the design that are not there yet.
    static let waiting = ["doctor", "sessions", "routes", "keys"]

    /// Reads the words after the program's name.
    public static func read(
        _ words: [String], environment: [String: String] = [:], version: String
    ) -> CommandReading {
        guard let first = words.first else {
            return .usage("gatehouse: a command is missing\n\n\(overview)")
        }
        switch first {
        case "--help", "-h", "help":
            guard first == "help", let name = words.dropFirst().first else {
                return .print(overview)
            }
            guard let entry = entries.first(where: { $0.name == name }) else {
                return unknown(name)
            }
            return .print(help(of: entry))
        case "proxy":
            // Another program's language, also its exit codes.
            return .run(.proxy(Array(words.dropFirst())))
        case "--version":
            return .print("gatehouse \(version)\n")
        default:
            guard let entry = entries.first(where: { $0.name == first }) else {
                return unknown(first)
            }
            return read(Array(words.dropFirst()), of: entry, environment)
        }
    }

    /// The help of `gatehouse` itself.
    static var overview: String {
        let width = entries.map { usage(of: $0).count }.max() ?? 0
        let rows = entries.map { entry in
            let usage = usage(of: entry)
            let gap = String(repeating: " ", count: width - usage.count + 3)
            return "  \(usage)\(gap)\(entry.summary)"
        }
        return """
            A single sign-on gateway.

            \(rows.joined(separator: "\n"))

              gatehouse COMMAND --help   about one command
              gatehouse --version        the version

            """
    }

    /// The help of one command.
    static func help(of entry: Entry) -> String {
        if entry.name == "proxy" { return CHPCommandLine.help(called: "gatehouse proxy") }
        let names = entry.flags.map { flag in flag.name + (flag.value.map { " \($0)" } ?? "") }
        let width = names.map(\.count).max() ?? 0
        let rows = zip(entry.flags, names).map { flag, name in
            "  \(name)\(String(repeating: " ", count: width - name.count + 3))\(flag.help)"
        }
        return """
            \(usage(of: entry)): \(entry.summary)

            \(rows.joined(separator: "\n"))

            \(entry.details)

            """
    }

    private static func usage(of entry: Entry) -> String {
        let flags = entry.flags.compactMap { flag in flag.value.map { "\(flag.name) \($0)" } }
        return (["gatehouse", entry.name] + flags + entry.words).joined(separator: " ")
    }

    private static func unknown(_ word: String) -> CommandReading {
        if waiting.contains(word) { return .usage("gatehouse: '\(word)' is not built yet\n") }
        let kind = word.hasPrefix("-") ? "flag" : "command"
        let known = kind == "flag" ? ["--help", "--version"] : entries.map(\.name)
        let hint = Suggestion.hint(for: word, among: known) ?? "see 'gatehouse --help'"
        return .usage("gatehouse: there is no \(kind) '\(word)'; \(hint)\n")
    }

    private static func read(
        _ words: [String], of entry: Entry, _ environment: [String: String]
    ) -> CommandReading {
        var values: [String: String] = [:]
        var others: [String] = []
        var index = 0
        var flagsEnded = false
        while index < words.count {
            let word = words[index]
            index += 1
            if flagsEnded || !word.hasPrefix("-") || word == "-" {
                others.append(word)
                continue
            }
            if word == "--" {
                flagsEnded = true
                continue
            }
            if word == "--help" || word == "-h" { return .print(help(of: entry)) }
            let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(halves[0])
            guard let flag = entry.flags.first(where: { $0.name == name }) else {
                let hint =
                    entry.name == "check" && name == "--config"
                    ? "write 'gatehouse check FILE'"
                    : Suggestion.hint(for: name, among: entry.flags.map(\.name))
                return wrong(entry, "there is no flag '\(name)'", hint)
            }
            if values[name] != nil { return wrong(entry, "'\(name)' is given twice", nil) }
            guard flag.value != nil else { return wrong(entry, "'\(name)' takes no value", nil) }
            if halves.count == 2 {
                values[name] = String(halves[1])
            } else if index < words.count {
                values[name] = words[index]
                index += 1
            }
            if values[name, default: ""].isEmpty {
                return wrong(entry, "'\(name)' needs a value: \(flag.value ?? "")", nil)
            }
        }
        return command(entry, values, others, environment)
    }

    private static func command(
        _ entry: Entry, _ values: [String: String], _ words: [String],
        _ environment: [String: String]
    ) -> CommandReading {
        guard words.count <= entry.words.count else {
            let hint =
                entry.name == "serve" ? "did you mean '--config \(words[0])'?" : nil
            return wrong(entry, "'\(words[entry.words.count])' is one word too many", hint)
        }
        let hasText = !environment["GATEHOUSE_CONFIG_YAML", default: ""].isEmpty
        switch entry.name {
        case "check":
            if words.isEmpty, !hasText { return wrong(entry, "FILE is missing", nil) }
            return .run(.check(file: words.first))
        default:
            let config = values["--config"]
            if config == nil, !hasText { return wrong(entry, "'--config FILE' is missing", nil) }
            return .run(.serve(config: config))
        }
    }

    private static func wrong(_ entry: Entry, _ message: String, _ hint: String?) -> CommandReading
    {
        .usage(
            "gatehouse \(entry.name): \(message); "
                + "\(hint ?? "see 'gatehouse \(entry.name) --help'")\n")
    }
}
