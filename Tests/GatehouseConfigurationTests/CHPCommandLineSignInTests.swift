import GatehouseBase
import Testing

@testable import GatehouseConfiguration

/// `oidc` in the place of configurable-http-proxy.
struct CHPCommandLineSignInTests {
    private typealias Line = CHPStart.Line

    private static let provider = """
        public_urls: [https://hub.example.org]
        oidc: {issuer: https://sso.example.org/realms/r, client_id: gatehouse}

        """
    private static let open = "access: [{path: /**, allow: signed_in}]\n"
    private static let tls = ["--port", "443", "--ssl-key", "k", "--ssl-cert", "c"]
    private static let environment = [
        "HOME": "/home/jovyan", "CONFIGPROXY_AUTH_TOKEN": "s3cret",
        "GATEHOUSE_OIDC_CLIENT_SECRET": "hunter2", "GATEHOUSE_KEYS": "kkk",
    ]

    private func start(
        _ words: [String] = tls, yaml: String = open,
        environment: [String: String] = environment
    ) throws -> CHPStart {
        try CommandLineFixture.start(
            words, environment: environment, yaml: CHPCommandLineSignInTests.provider + yaml)
    }

    private func failure(
        _ words: [String] = tls, yaml: String = open,
        environment: [String: String] = environment
    ) -> String? {
        CommandLineFixture.failure(
            words, environment: environment, yaml: CHPCommandLineSignInTests.provider + yaml)
    }

    @Test func `sign-in changes the contract setting by setting`() throws {
        let start = try start()
        let configuration = start.configuration
        #expect(start.lines.isEmpty, "\(start.lines)")
        #expect(configuration.oidc?.clientSecret == Secret("hunter2"))
        #expect(configuration.keys == Secret("kkk"))
        #expect(configuration.forwarding.forwardedFields == .replace)
        #expect(configuration.readingsMustAgree)
        #expect(configuration.requiresState)
        #expect(configuration.routesAPI.preset == .jupyterhub)
        #expect(configuration.access.map(\.allow) == [.signedIn])
        // The rest stays the contract's.
        #expect(configuration.forwarding.upstreamFailures == .unavailable)
        #expect(configuration.log.format == .contract && !configuration.log.access)
        #expect(!configuration.stop.drains && configuration.stop.exitStatus == 2)
        #expect(!configuration.reloads && !configuration.requiresToken)
    }

    /// Without `base_url` the Hub's own addresses tell where it is.
    @Test func `a rule for owners that is not about the Hub's place is refused`() throws {
        let rule = """
            access: [{path: /user/*/**, allow: {path_user: 2}}, {path: /**, allow: signed_in}]
            """
        let target = CHPCommandLineSignInTests.tls + ["--error-target"]
        let text = failure(target + ["http://hub:8081/jh/hub/error"], yaml: rule)
        #expect(
            text?.contains(
                "error: '/user/*/**' protects nobody's server: JupyterHub's are below '/jh/user/'")
                == true)
        #expect(
            text?.contains("write '{path: /jh/user/*/**, allow: {path_user: 3}}'") == true)
        #expect(try start(target + ["http://hub:8081/hub/error"], yaml: rule).lines.isEmpty)
    }

    @Test func `without oidc nothing of it changes`() throws {
        let configuration = try CommandLineFixture.configuration(
            yaml: "routes: [{path: /, upstream: http://127.0.0.1:1}]")
        #expect(configuration.forwarding.forwardedFields == .append)
        #expect(!configuration.readingsMustAgree && !configuration.requiresState)
        #expect(configuration.routesAPI.preset == RoutePreset.none)
        #expect(configuration.routes[0].preset == nil)
        #expect(configuration.access.map(\.allow) == [.anyone])
    }

    @Test func `the environment alone is enough, as the chart has it`() throws {
        let environment = [
            "CONFIGPROXY_AUTH_TOKEN": "s3cret", "GATEHOUSE_OIDC_CLIENT_SECRET": "hunter2",
            "GATEHOUSE_KEYS": "kkk",
        ]
        let words = [
            "--ip=", "--api-ip=", "--api-port=8001", "--default-target=http://hub:8081",
            "--error-target=http://hub:8081/hub/error", "--port=8443", "--redirect-port=8000",
            "--redirect-to=443", "--ssl-key=/etc/chp/tls/tls.key",
            "--ssl-cert=/etc/chp/tls/tls.crt",
        ]
        let text = CHPCommandLineSignInTests.open + "state_dir: none\n"
        let start = try start(words, yaml: text, environment: environment)
        let configuration = start.configuration
        #expect(configuration.stateDirectory == .none)
        #expect(configuration.oidc?.clientSecret == Secret("hunter2"))
        #expect(configuration.jupyterHub.baseURL.path == "/")
        #expect(configuration.routesAPI.defaultTarget == "http://hub:8081")
        #expect(
            configuration.listeners.map(\.address.description) == [
                "[::]:8443", "[::]:8001", "[::]:8000",
            ])
        #expect(configuration.listeners[1].token == Secret("s3cret"))
        #expect(configuration.listeners[2].redirect == HTTPSRedirect(status: 307, port: 443))
        #expect(
            start.lines == [
                Line(
                    level: .notice,
                    text: "browsers come to 'https://hub.example.org', on port 443, and the public "
                        + "port is 8443: something before it must lead the one to the other")
            ])
        var bare = environment
        bare["GATEHOUSE_OIDC_CLIENT_SECRET"] = nil
        #expect(
            failure(words, yaml: text, environment: bare)?
                .contains("or set GATEHOUSE_OIDC_CLIENT_SECRET") == true)
        bare = environment
        bare["GATEHOUSE_KEYS"] = nil
        let warned = try self.start(words, yaml: text, environment: bare)
        #expect(warned.lines.map(\.level) == [.warning, .notice])
        #expect(warned.lines[0].text.contains("the keys end with this process"))
        let file = text + "keys_file: /etc/keys\n"
        #expect(try self.start(words, yaml: file, environment: bare).lines.count == 1)
    }

    @Test func `a base URL in the error target that can be none ends the start, or is passed over`()
        throws
    {
        let target = "http://hub:8081/a%2Fb/hub/error"
        let words = CHPCommandLineSignInTests.tls + ["--error-target", target]
        let text =
            "option '--error-target' has the Hub's base URL '/a%2Fb/': there must be no '/' within a "
            + "segment; give the Hub another base URL"
        #expect(failure(words) == "error: \(text)\n")
        // Without sign-in little depends on it, and the target goes on giving its pages.
        let open = try CommandLineFixture.start(["--error-target", target])
        #expect(open.lines == [Line(level: .warning, text: text)])
        #expect(open.configuration.jupyterHub == JupyterHubSettings())
        #expect(open.configuration.forwarding.errorPages.target == target)
        let good = CHPCommandLineSignInTests.tls + ["--error-target", "http://hub/a b/hub/error"]
        #expect(try start(good).configuration.jupyterHub.baseURL.path == "/a b/")
    }

    @Test func `nobody gets in where no rule is written`() throws {
        let start = try start(yaml: "")
        #expect(start.configuration.access.isEmpty)
        #expect(start.configuration.readingsMustAgree)
        #expect(start.lines.map(\.level) == [.warning])
        #expect(start.lines[0].text.contains("without a rule nobody is let in"))
    }

    @Test func `a rule that opens the Hub before a narrower one decides is an error`() {
        func rules(_ first: String) -> String {
            "access: [{path: /**, allow: \(first)}, {path: /hub/**, allow: signed_in}]\n"
        }
        // All routes are the API's: the Hub is among them.
        #expect(
            failure(yaml: rules("public"))?.contains("the Hub and its servers are open") == true)
        #expect(failure(yaml: rules("signed_in")) == nil)
        let none = "routes: [{path: /, upstream: http://127.0.0.1:1, preset: none}]\n"
        #expect(failure(yaml: rules("public") + none) == nil)
    }

    @Test func `the preset is of slash and of what the API adds, unless the text says otherwise`()
        throws
    {
        func routes(_ text: String) throws -> Configuration {
            try self.start(yaml: CHPCommandLineSignInTests.open + text).configuration
        }
        let plain = try routes(
            "routes: [{path: /, upstream: http://127.0.0.1:1}, "
                + "{path: /reports, upstream: http://127.0.0.1:2}]")
        #expect(plain.routes.map(\.preset) == [.jupyterhub, nil])
        #expect(plain.routesAPI.preset == .jupyterhub)
        let none = try routes("routes: [{path: /, upstream: http://127.0.0.1:1, preset: none}]")
        #expect(none.routes.map(\.preset) == [RoutePreset.none])
        #expect(none.routesAPI.preset == RoutePreset.none)
        let other = try routes(
            "routes: [{path: /reports, upstream: http://127.0.0.1:1, preset: none}, "
                + "{path: /, host: hub.example.org, upstream: http://127.0.0.1:2, preset: none}]")
        #expect(other.routesAPI.preset == .jupyterhub)
        #expect(other.routes.map(\.preset) == [RoutePreset.none, RoutePreset.none])
    }

    @Test func `identity is for the Hub's route alone, unless a route is said to be no part of it`()
        throws
    {
        let headers = "identity: {headers: {X-User: sub}}"
        func text(_ path: String, _ more: String) -> String {
            CHPCommandLineSignInTests.open
                + "routes: [{path: \(path), upstream: http://127.0.0.1:1, \(more)\(headers)}]\n"
        }
        #expect(failure(yaml: text("/reports", ""))?.contains("users' code") == true)
        #expect(failure(yaml: text("/user/alice", ""))?.contains("users' code") == true)
        for (path, more) in [("/", ""), ("/hub", ""), ("/reports", "preset: none, ")] {
            let configuration = try start(yaml: text(path, more)).configuration
            #expect(configuration.routes[0].identityHeaders == ["X-User": "sub"])
        }
        let base = CHPCommandLineSignInTests.tls + ["--error-target=http://hub:8081/b/hub/error"]
        #expect(failure(base, yaml: text("/hub", ""))?.contains("users' code") == true)
        #expect(failure(base, yaml: text("/b/hub", "")) == nil)
        #expect(failure(base, yaml: text("/b", "")) == nil)
    }

    @Test func `plain HTTP is redirected with 307, to the public URL's port`() throws {
        let words = CHPCommandLineSignInTests.tls + ["--redirect-port", "80"]
        let redirect = try start(words).configuration.listeners.last?.redirect
        #expect(redirect == HTTPSRedirect(status: 307, port: nil))
        let old = try CommandLineFixture.configuration(
            "--ssl-key=k", "--ssl-cert=c", "--redirect-port=80")
        #expect(old.listeners.last?.redirect == HTTPSRedirect(status: 301, port: 8000))
    }

    @Test func `there is no start without a state directory, unless none is said`() throws {
        var environment = CHPCommandLineSignInTests.environment
        environment["HOME"] = nil
        #expect(
            failure(environment: environment)
                == "error: no state directory: STATE_DIRECTORY, XDG_STATE_HOME and HOME are not "
                + "set, and with 'oidc' there is no start without one; write 'state_dir: none' or "
                + "add '--state-dir none' to keep keys and sessions in memory alone\n")
        let none = CHPCommandLineSignInTests.tls + ["--state-dir", "none"]
        #expect(try start(none, environment: environment).configuration.stateDirectory == .none)
        let folder = CHPCommandLineSignInTests.tls + ["--state-dir=/s"]
        #expect(
            try start(folder, environment: environment).configuration.stateDirectory == .path("/s"))
    }

    @Test func `host routing and sign-in exclude each other, wherever each is written`() {
        let words = CHPCommandLineSignInTests.tls + ["--host-routing"]
        #expect(
            failure(words)?.hasPrefix(
                "flag --host-routing: error: people cannot sign in where every user has a host of "
                    + "their own") == true)
        #expect(failure(words)?.contains("leave out '--host-routing'") == true)
        let yaml = CHPCommandLineSignInTests.open + "routes_api: {host_routing: true}\n"
        #expect(failure(yaml: yaml)?.contains("^ write 'host_routing: false'") == true)
        #expect(failure() == nil)
    }

    @Test func `forwarded fields are ours`() {
        let words = CHPCommandLineSignInTests.tls + ["--no-x-forward"]
        #expect(failure(words)?.contains("leave out '--no-x-forward'") == true)
        let yaml = CHPCommandLineSignInTests.open + "forwarding: {forwarded_fields: append}\n"
        #expect(failure(yaml: yaml)?.contains("write 'forwarded_fields: replace'") == true)
    }

    @Test func `a public port in clear is told, unless a front does TLS`() throws {
        let plain = try start(["--port", "8000"])
        #expect(plain.lines.map(\.level) == [.warning])
        #expect(plain.lines[0].text.contains("'[::]:8000' has no TLS"))
        #expect(plain.lines[0].text.contains("'--ssl-key' and '--ssl-cert', or '--front'"))
        let front = ["--port", "8000", "--front", "nginx", "--trusted", "127.0.0.1"]
        #expect(try start(front).lines.isEmpty)
    }

    @Test func `the public port is compared with the public URLs`() throws {
        let tls = CHPCommandLineSignInTests.tls
        #expect(try start(["--port", "8443"] + tls[2...]).lines.map(\.level) == [.notice])
        #expect(try start(["--port", "0"] + tls[2...]).lines.isEmpty)
        let front = ["--port", "8443", "--front=nginx", "--trusted=10.0.0.0/8"] + tls[2...]
        #expect(try start(front).lines.isEmpty)
        // One of them has it.
        let two = CHPCommandLineSignInTests.provider.replacing(
            "hub.example.org]", with: "hub.example.org, \"https://hub.example.org:8443\"]")
        let both = try CommandLineFixture.start(
            ["--port", "8443"] + tls[2...], environment: CHPCommandLineSignInTests.environment,
            yaml: two + CHPCommandLineSignInTests.open)
        #expect(both.configuration.publicURLs.count == 2 && both.lines.isEmpty)
    }
}
