import GatehouseBase
import Testing

@testable import GatehouseConfiguration

struct CHPCommandLineTests {
    private typealias Line = CHPStart.Line

    private func start(
        _ words: String..., environment: [String: String] = CommandLineFixture.token,
        yaml: String? = nil, files: [String: String] = [:]
    ) throws -> CHPStart {
        try CommandLineFixture.start(words, environment: environment, yaml: yaml, files: files)
    }

    private func failure(
        _ words: String..., environment: [String: String] = CommandLineFixture.token,
        yaml: String? = nil, files: [String: String] = [:]
    ) -> String? {
        CommandLineFixture.failure(words, environment: environment, yaml: yaml, files: files)
    }

    @Test func `the name it is started by tells the proxy`() {
        #expect(CHPCommandLine.isCalled(by: "configurable-http-proxy"))
        #expect(CHPCommandLine.isCalled(by: "/usr/local/bin/configurable-http-proxy"))
        #expect(!CHPCommandLine.isCalled(by: "/usr/bin/gatehouse"))
        #expect(!CHPCommandLine.isCalled(by: "/opt/configurable-http-proxy/gatehouse"))
        #expect(!CHPCommandLine.isCalled(by: ""))
    }

    @Test func `version is the bare number`() {
        guard case .print(let text) = CommandLineFixture.read(["-V"]) else {
            Issue.record("no text")
            return
        }
        #expect(text == "1.2.3\n")
    }

    @Test func `help names every flag that does something and fits on a terminal`() {
        guard case .print(let text) = CommandLineFixture.read(["--help"]) else {
            Issue.record("no text")
            return
        }
        #expect(text == CHPCommandLine.help(called: "gatehouse proxy"))
        for flag in CHPFlag.contract + CHPFlag.own + CHPFlag.ends {
            #expect(text.contains("\n  \(flag.usage)  "), "\(flag.usage)")
            #expect(!flag.help.isEmpty)
        }
        for line in text.split(separator: "\n") { #expect(line.count <= 92, "\(line)") }
        #expect(text.hasSuffix("\n") && !text.hasSuffix("\n\n"))
        #expect(CHPCommandLine.help(called: "x").hasPrefix("Usage: x [options]\n"))
    }

    @Test func `without a word the defaults are configurable-http-proxy's`() throws {
        let configuration = try start().configuration
        #expect(configuration.forwarding.forwardedFields == .append)
        #expect(configuration.forwarding.upstreamFailures == .unavailable)
        #expect(configuration.forwarding.prependPath && configuration.forwarding.includePrefix)
        #expect(configuration.forwarding.requestFields.isEmpty)
        #expect(configuration.forwarding.exchangeIdle == nil)
        #expect(!configuration.stop.drains && configuration.stop.exitStatus == 2)
        #expect(!configuration.stop.endsWithParent)
        #expect(!configuration.requiresState && !configuration.reloads)
        #expect(!configuration.readingsMustAgree && !configuration.requiresToken)
        #expect(configuration.log.format == .contract && configuration.log.level == .info)
        #expect(!configuration.log.access)
        #expect(configuration.access.count == 1)
        #expect(configuration.access[0].path.description == "/**")
        #expect(configuration.access[0].allow == .anyone)
        #expect(configuration.stateDirectory == .path("/home/jovyan/.local/state/gatehouse"))
        #expect(configuration.jupyterHub.baseURL.path == "/")
        #expect(configuration.routesAPI.defaultTarget == nil)
        #expect(!configuration.routesAPI.hostRouting)
        #expect(configuration.routesAPI.activity == .contract)
        #expect(configuration.pidFile == nil)
    }

    @Test func `what JupyterHub writes is taken`() throws {
        let start = try start(
            "--ip", "", "--port", "8000", "--api-ip", "127.0.0.1", "--api-port", "8001",
            "--error-target", "http://127.0.0.1:8081/@/space%20word/hub/error", "--log-level",
            "debug", "--host-routing", "--ssl-key", "k.pem", "--ssl-cert", "c.pem",
            "--api-ssl-key", "ak", "--api-ssl-cert", "ac", "--api-ssl-ca", "aca",
            "--api-ssl-request-cert", "--api-ssl-reject-unauthorized", "--client-ssl-key", "ck",
            "--client-ssl-cert", "cc", "--client-ssl-ca", "cca", "--client-ssl-request-cert",
            "--client-ssl-reject-unauthorized")
        #expect(start.lines.isEmpty)
        #expect(start.file == nil)
        #expect(
            start.configuration.listeners.map(\.address.description) == [
                "[::]:8000", "127.0.0.1:8001",
            ])
        #expect(start.configuration.jupyterHub.baseURL.path == "/@/space word/")
        #expect(start.configuration.log.level == .debug)
    }

    @Test func `what the chart writes is taken`() throws {
        let start = try start(
            "--ip=", "--api-ip=", "--api-port=8001", "--default-target=http://hub:8081",
            "--error-target=http://hub:8081/hub/error", "--port=8443", "--redirect-port=8000",
            "--redirect-to=443", "--ssl-key=/etc/chp/tls/tls.key",
            "--ssl-cert=/etc/chp/tls/tls.crt", "--log-level=debug")
        #expect(
            start.configuration.listeners.map(\.address.description) == [
                "[::]:8443", "[::]:8001", "[::]:8000",
            ])
        #expect(start.configuration.listeners[2].redirect == HTTPSRedirect(status: 301, port: 443))
        #expect(start.configuration.routesAPI.defaultTarget == "http://hub:8081")
        #expect(start.configuration.jupyterHub.baseURL.path == "/")
    }

    @Test func `lines come in the order of configurable-http-proxy`() throws {
        let start = try start(
            "--ip", "*", "--protocol-rewrite", "https", "--change-origin", "--auto-rewrite",
            environment: ["HOME": "/h"])
        #expect(
            start.lines == [
                Line(level: .info, text: "AutoRewrite of Location headers enabled."),
                Line(level: .info, text: "Change Origin of host headers enabled."),
                Line(level: .info, text: "ProtocolRewrite enabled. Rewriting to https"),
                Line(level: .warning, text: "REST API is not authenticated."),
                Line(
                    level: .warning,
                    text:
                        "Interpreting ip='*' as all-interfaces. Preferred usage is 0.0.0.0 for all "
                        + "IPv4 or '' for all-interfaces."),
            ])
    }

    @Test func `two refusals belong in the log`() {
        let cases = [
            (
                ["--redirect-port", "80"],
                "HTTPS redirection specified but certificates not provided."
            ),
            (
                ["--error-target", "http://h/e", "--error-path", "/p"],
                "Cannot specify both error-target and error-path. Pick one."
            ),
        ]
        for (words, text) in cases {
            guard case .refused(let line, let log) = CommandLineFixture.read(words) else {
                Issue.record("\(words)")
                continue
            }
            #expect(line == text)
            #expect(log.format == .contract)
        }
    }

    @Test(arguments: [
        ("debug", Log.Level.debug), ("INFO", .info), ("Warn", .warning), ("error", .error),
        ("notice", .notice), ("warning", .warning), ("silly", .debug),
    ])
    func `the level of the log has its names`(_ text: String, _ level: Log.Level) throws {
        let start = try start("--log-level", text)
        #expect(start.configuration.log.level == level)
        #expect(start.lines.isEmpty)
    }

    @Test func `a level that is none is info, and says so`() throws {
        let start = try start("--log-level", "loud")
        #expect(start.configuration.log.level == .info)
        #expect(start.lines.map(\.level) == [.warning])
        #expect(start.lines[0].text.contains("'loud'"))
    }

    @Test func `an empty level is the usual one`() throws {
        let start = try start("--log-level=")
        #expect(start.configuration.log.level == .info)
        #expect(start.lines.isEmpty)
    }

    @Test func `the token comes from the environment or a file`() throws {
        func token(_ environment: [String: String]) throws -> Secret? {
            try start(environment: environment, files: ["/t": "from-file\n"])
                .configuration.listeners.first { $0.role == .api }?.token
        }
        #expect(try token(["HOME": "/h", "CONFIGPROXY_AUTH_TOKEN": "T"]) == Secret("T"))
        #expect(
            try token(["HOME": "/h", "CONFIGPROXY_AUTH_TOKEN_FILE": "/t"]) == Secret("from-file"))
        #expect(try token(["HOME": "/h", "CONFIGPROXY_AUTH_TOKEN": ""]) == nil)
        let unset = ["HOME": "/h", "CONFIGPROXY_AUTH_TOKEN": "", "CONFIGPROXY_AUTH_TOKEN_FILE": ""]
        #expect(try token(unset) == nil)
        #expect(
            try start(environment: unset).lines
                == [Line(level: .warning, text: "REST API is not authenticated.")])
        #expect(try start().lines.isEmpty)
    }

    @Test func `a token that cannot be had is an error`() {
        let both = ["CONFIGPROXY_AUTH_TOKEN": "T", "CONFIGPROXY_AUTH_TOKEN_FILE": "/t"]
        #expect(
            failure(environment: both, files: ["/t": "T"])
                == "error: CONFIGPROXY_AUTH_TOKEN and CONFIGPROXY_AUTH_TOKEN_FILE are both set\n")
        let file = ["CONFIGPROXY_AUTH_TOKEN_FILE": "/t"]
        #expect(
            failure(environment: file)
                == "error: CONFIGPROXY_AUTH_TOKEN_FILE is '/t', which cannot be read: "
                + "No such file or directory\n")
        #expect(
            failure(environment: file, files: ["/t": "\n"])
                == "error: CONFIGPROXY_AUTH_TOKEN_FILE is '/t', which is empty\n")
        #expect(
            failure(environment: file, files: ["/t": "a\nb\n"])?.contains("more than one line")
                == true)
    }

    @Test func `state is kept where a flag, the environment or a home says`() throws {
        #expect(try start("--state-dir", "/s").configuration.stateDirectory == .path("/s"))
        #expect(try start("--state-dir", "none").configuration.stateDirectory == .none)
        let environment = ["STATE_DIRECTORY": "/v", "CONFIGPROXY_AUTH_TOKEN": "T"]
        #expect(try start(environment: environment).configuration.stateDirectory == .path("/v"))
        #expect(
            try start("--state-dir", "/s", yaml: "state_dir: /y").configuration.stateDirectory
                == .path("/s"))
        #expect(try start(yaml: "state_dir: /y").configuration.stateDirectory == .path("/y"))
    }

    @Test func `no place for state is a warning, unless that was meant`() throws {
        let bare = ["CONFIGPROXY_AUTH_TOKEN": "T"]
        let start = try start(environment: bare)
        #expect(start.configuration.stateDirectory == .none)
        #expect(start.lines.map(\.level) == [.warning])
        #expect(start.lines[0].text.contains("--state-dir"))
        #expect(try self.start("--state-dir", "none", environment: bare).lines.isEmpty)
        #expect(try self.start(environment: bare, yaml: "state_dir: none").lines.isEmpty)
    }

    @Test func `flags of the process are taken`() throws {
        let configuration = try start(
            "--pid-file", "/run/p.pid", "--drain", "30s", "--exit-with-parent", "--access-log",
            "--activity", "traffic", "--storage-backend", "memory"
        ).configuration
        #expect(configuration.pidFile == "/run/p.pid")
        #expect(configuration.stop.drains && configuration.limits.drain == .seconds(30))
        #expect(configuration.stop.exitStatus == 2 && configuration.stop.endsWithParent)
        #expect(configuration.log.access)
        #expect(configuration.routesAPI.activity == .traffic)
        #expect(configuration.origin(of: "pid_file") == .flag("--pid-file"))
        #expect(try start("--pid-file=").configuration.pidFile == nil)
    }

    @Test(arguments: [
        (
            ["--storage-backend", "configurable-http-proxy-redis-backend"],
            "error: option '--storage-backend' is 'configurable-http-proxy-redis-backend', a module "
                + "of JavaScript, which cannot be loaded: routes outlive a restart in 'state_dir' "
                + "(--state-dir DIR)\n"
        ),
        (
            ["--drain", "30"],
            "error: option '--drain' is '30': a duration needs a unit; write '30s'\n"
        ),
        (
            ["--activity", "all"],
            "error: option '--activity' is 'all': it is contract or traffic\n"
        ),
    ])
    func `what cannot be done is an error`(_ words: [String], _ text: String) {
        #expect(CommandLineFixture.failure(words) == text)
    }

    @Test func `flags win over a configuration, which wins over the defaults`() throws {
        let yaml = "log: {level: error, format: json, access: true}\nlimits: {drain: 5s}"
        let plain = try start(yaml: yaml).configuration
        #expect(plain.log.level == .error && plain.log.format == .json && plain.log.access)
        #expect(plain.limits.drain == .seconds(5) && !plain.stop.drains)
        let flags = try start("--log-level", "warn", "--drain", "7s", yaml: yaml).configuration
        #expect(flags.log.level == .warning && flags.log.format == .json)
        #expect(flags.limits.drain == .seconds(7))
    }

    @Test func `written access rules replace the open one and ask for paths that read one way`()
        throws
    {
        let yaml = "access: [{path: /hub/**, allow: public}]"
        let configuration = try start(yaml: yaml).configuration
        #expect(configuration.access.map(\.path.description) == ["/hub/**"])
        #expect(configuration.readingsMustAgree)
    }

    @Test func `a configuration is a file of the flag, then of the environment, then a text`()
        throws
    {
        let files = ["a.yaml": "loops: 1", "b.yaml": "loops: 2"]
        var environment = CommandLineFixture.token
        environment["GATEHOUSE_CONFIG_YAML"] = "loops: 3"
        #expect(try start(environment: environment).configuration.loops == .count(3))
        environment["GATEHOUSE_CONFIG"] = "b.yaml"
        let named = try start(environment: environment, files: files)
        #expect(named.configuration.loops == .count(2) && named.file == "b.yaml")
        let flag = try start("--config", "a.yaml", environment: environment, files: files)
        #expect(flag.configuration.loops == .count(1) && flag.file == "a.yaml")
        #expect(flag.lines.map(\.level) == [.warning])
    }

    @Test func `mistakes in a configuration are told with their place`() {
        #expect(
            failure("--config", "a.yaml", files: ["a.yaml": "loop: 1"])?
                .hasPrefix("a.yaml:1:1: error: 'loop' is no setting") == true)
        #expect(
            failure("--config", "a.yaml")
                == "a.yaml: error: the configuration cannot be read: No such file or directory\n"
                + "1 error\n")
    }
}
