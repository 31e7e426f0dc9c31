extension CHPCommandLine {
    /// What `--help` prints, made of the table of flags.
    static func help(called name: String) -> String {
        let width = (CHPFlag.ends + CHPFlag.contract + CHPFlag.own).map(\.usage.count).max() ?? 0
        func rows(_ flags: [CHPFlag]) -> String {
            flags.map { row($0, width) }.joined(separator: "\n")
        }
        return """
            Usage: \(name) [options]

            Stands in for configurable-http-proxy, as JupyterHub starts it.

            Options:
            \(rows(CHPFlag.ends))
            \(rows(CHPFlag.contract))

            Options of Gatehouse:
            \(rows(CHPFlag.own))

            Environment: CONFIGPROXY_AUTH_TOKEN or CONFIGPROXY_AUTH_TOKEN_FILE for the routes API,
            CONFIGPROXY_SSL_KEY_PASSPHRASE, CONFIGPROXY_API_SSL_KEY_PASSPHRASE, GATEHOUSE_CONFIG,
            GATEHOUSE_CONFIG_YAML, GATEHOUSE_LOOPS; with sign-in GATEHOUSE_OIDC_CLIENT_SECRET and
            GATEHOUSE_KEYS.

            SIGTERM and SIGINT end at once with status 2, SIGHUP reads certificates again.

            """
    }

    /// The flag, and its words beside it on as many lines as they need.
    private static func row(_ flag: CHPFlag, _ width: Int) -> String {
        let margin = String(repeating: " ", count: width + 4)
        var lines: [String] = []
        var line = "  \(flag.usage)\(margin.dropFirst(flag.usage.count + 2))"
        var isEmpty = true
        for word in flag.help.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > 92 {
                lines.append(line)
                line = margin
                isEmpty = true
            }
            line += isEmpty ? "\(word)" : " \(word)"
            isEmpty = false
        }
        return (lines + [line]).joined(separator: "\n")
    }
}
