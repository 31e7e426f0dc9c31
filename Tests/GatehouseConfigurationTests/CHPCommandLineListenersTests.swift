import GatehouseBase
import Testing

@testable import GatehouseConfiguration

struct CHPCommandLineListenersTests {
    private func addresses(_ words: [String], yaml: String? = nil) throws -> [String] {
        try CommandLineFixture.start(words, yaml: yaml).configuration.listeners.map {
            "\($0.role.rawValue) \($0.address)"
        }
    }

    @Test(arguments: [
        ([], ["public [::]:8000", "api localhost:8001"]),
        (["--ip=", "--api-ip="], ["public [::]:8000", "api [::]:8001"]),
        (["--ip", "*"], ["public [::]:8000", "api localhost:8001"]),
        (
            ["--ip", "127.0.0.1", "--port", "9000"],
            ["public 127.0.0.1:9000", "api localhost:9001"]
        ),
        (["--ip", "::1"], ["public [::1]:8000", "api localhost:8001"]),
        (["--ip", "[::1]"], ["public [::1]:8000", "api localhost:8001"]),
        (["--port", "0"], ["public [::]:0", "api localhost:0"]),
        (["--port", "x"], ["public [::]:8000", "api localhost:8001"]),
        (["--port", "9000", "--api-port", "x"], ["public [::]:9000", "api localhost:9001"]),
        (["--api-ip", "0.0.0.0", "--api-port", "5"], ["public [::]:8000", "api 0.0.0.0:5"]),
        (["--port", "65535", "--api-port", "5"], ["public [::]:65535", "api localhost:5"]),
        (["--socket", "/run/p"], ["public unix:/run/p", "api localhost:8001"]),
        (["--socket="], ["public [::]:8000", "api localhost:8001"]),
        (["--api-socket", "/run/a"], ["public [::]:8000", "api unix:/run/a"]),
        (
            ["--api-socket", "/run/a", "--api-port", "5", "--api-ip", "h"],
            ["public [::]:8000", "api unix:/run/a"]
        ),
        (
            ["--metrics-port", "9090"],
            ["public [::]:8000", "api localhost:8001", "metrics [::]:9090"]
        ),
        (
            ["--metrics-port", "9090", "--metrics-ip", "127.0.0.1"],
            ["public [::]:8000", "api localhost:8001", "metrics 127.0.0.1:9090"]
        ),
        (["--metrics-ip", "127.0.0.1"], ["public [::]:8000", "api localhost:8001"]),
        (["--metrics-port="], ["public [::]:8000", "api localhost:8001"]),
        (
            ["--metrics-socket", "/run/m", "--metrics-port", "9090"],
            ["public [::]:8000", "api localhost:8001", "metrics unix:/run/m"]
        ),
    ])
    func `flags give the addresses`(_ words: [String], _ expected: [String]) throws {
        #expect(try addresses(words) == expected)
    }

    @Test func `a port that is no number is the default with a warning`() throws {
        let start = try CommandLineFixture.start(["--port", "x"])
        #expect(start.lines.map(\.text) == ["'x' of --port is no number: the port is 8000"])
        #expect(start.lines.map(\.level) == [.warning])
    }

    @Test(arguments: [
        (["--port", "65536"], "option '--port' is '65536': a port is a number up to 65535"),
        (["--port", "-1"], "option '--port' is '-1': a port is a number up to 65535"),
        (
            ["--metrics-port", "x"],
            "option '--metrics-port' is 'x': a port is a number up to 65535"
        ),
        (["--ip", "1.2.3"], "option '--ip' is '1.2.3': it is neither a name nor an address"),
        (["--api-ip", "a:1"], "option '--api-ip' is 'a:1': it is neither a name nor an address"),
        (
            ["--port", "65535", "--api-port", "x"],
            "there is no port above 65535 for the routes API; use '--api-port <n>'"
        ),
        (
            ["--port", "65535"],
            "there is no port above 65535 for the routes API; use '--api-port <n>'"
        ),
    ])
    func `an address that cannot be is an error`(_ words: [String], _ text: String) {
        #expect(CommandLineFixture.failure(words) == "error: \(text)\n")
    }

    @Test func `a socket's path must fit`() {
        let path = "/" + String(repeating: "x", count: 107)
        #expect(
            CommandLineFixture.failure(["--socket", path])?.contains("1 to 107 bytes") == true)
    }

    @Test func `one address for two is an error`() {
        let text = CommandLineFixture.failure(["--ip=", "--port=1", "--api-ip=", "--api-port=1"])
        #expect(text?.contains("'[::]:1' is the address of two listeners") == true)
    }

    @Test func `a flag sets the address of the first listener of its role and keeps the rest`()
        throws
    {
        let yaml = """
            listeners:
              - address: "127.0.0.1:8443"
                tls: {certificates: [{certificate: c, key: k}]}
              - {address: "127.0.0.1:9443"}
              - {address: "127.0.0.1:7001", role: api}
            """
        #expect(
            try addresses([], yaml: yaml)
                == ["public 127.0.0.1:8443", "public 127.0.0.1:9443", "api 127.0.0.1:7001"])
        #expect(
            try addresses(["--port", "1", "--api-ip", "::1"], yaml: yaml)
                == ["public 127.0.0.1:1", "public 127.0.0.1:9443", "api [::1]:7001"])
        let listeners = try CommandLineFixture.start(["--socket", "/p"], yaml: yaml)
            .configuration.listeners
        #expect(listeners[0].address == .unix(path: "/p"))
        #expect(listeners[0].tls?.certificates[0].certificate == "c")
        #expect(listeners[2].token == Secret("s3cret"))
    }

    @Test func `a configuration without the API still has one`() throws {
        let yaml = "listeners: [{address: \"127.0.0.1:8443\"}]"
        #expect(
            try addresses([], yaml: yaml) == ["public 127.0.0.1:8443", "api localhost:8444"])
    }

    @Test func `a token of the configuration gives way to that of the environment`() throws {
        let yaml = """
            listeners:
              - {address: "127.0.0.1:8080"}
              - {address: "[::]:8001", role: api, token_file: /t}
              - {address: "127.0.0.1:8002", role: api}
            """
        func tokens(_ environment: [String: String]) throws -> [Secret?] {
            try CommandLineFixture.start(
                [], environment: environment, yaml: yaml, files: ["/t": "from-yaml\n"]
            ).configuration.listeners.map(\.token)
        }
        let named = Secret("s3cret")
        #expect(try tokens(CommandLineFixture.token) == [nil, named, named])
        #expect(try tokens(["HOME": "/h"]) == [nil, Secret("from-yaml"), nil])
    }

    @Test func `a redirect of the configuration keeps its host`() throws {
        let yaml = """
            listeners:
              - {address: "127.0.0.1:8080", redirect_to_https: true}
              - {address: "[::]:8443", tls: {certificates: [{certificate: c, key: k}]}}
            """
        let listeners = try CommandLineFixture.configuration(
            "--redirect-port", "80", "--port", "443", "--api-port", "8001", yaml: yaml
        ).listeners
        #expect(
            listeners.map(\.address.description)
                == ["127.0.0.1:80", "[::]:443", "localhost:8001"])
        #expect(listeners[0].redirect == HTTPSRedirect(status: 301, port: 443))
        #expect(listeners[1].redirect == nil && listeners[1].tls != nil)
    }

    @Test func `keys and certificates turn TLS on`() throws {
        var environment = CommandLineFixture.token
        environment["CONFIGPROXY_SSL_KEY_PASSPHRASE"] = "one"
        environment["CONFIGPROXY_API_SSL_KEY_PASSPHRASE"] = "two"
        let listeners = try CommandLineFixture.start(
            [
                "--ssl-key", "k", "--ssl-cert", "c", "--ssl-ca", "ca", "--ssl-request-cert",
                "--ssl-reject-unauthorized", "--ssl-protocol", "TLSv1_2", "--ssl-ciphers", "HIGH",
                "--ssl-dhparam", "dh", "--ssl-allow-rc4", "--api-ssl-key", "ak",
                "--api-ssl-cert", "ac", "--api-ssl-ca", "aca",
            ], environment: environment
        ).configuration.listeners
        let tls = try #require(listeners[0].tls)
        #expect(tls.certificates.map(\.key) == ["k"] && tls.certificates[0].certificate == "c")
        #expect(tls.certificates[0].passphrase == Secret("one"))
        #expect(tls.clientCA == "ca" && tls.clientCertificate == .require)
        #expect(tls.minimum == .tls12 && tls.maximum == .tls12)
        #expect(tls.ciphers == "HIGH" && tls.dhparamFile == "dh")
        let api = try #require(listeners[1].tls)
        #expect(api.certificates.map(\.key) == ["ak"] && api.certificates[0].certificate == "ac")
        #expect(api.certificates[0].passphrase == Secret("two"))
        #expect(api.clientCA == "aca" && api.clientCertificate == .none)
        #expect(api.minimum == .tls12 && api.ciphers == "HIGH" && api.dhparamFile == "dh")
    }

    /// Node refuses whoever has no good certificate, unless it is told not to, which no flag does.
    @Test func `a certificate that is asked for is required`() throws {
        let pair = ["--api-ssl-key", "k", "--api-ssl-cert", "c"]
        func wanted(_ words: [String]) throws -> ListenerTLSSettings.ClientCertificate? {
            try CommandLineFixture.start(pair + words).configuration.listeners[1].tls?
                .clientCertificate
        }
        #expect(try wanted(["--api-ssl-ca", "ca", "--api-ssl-request-cert"]) == .require)
        #expect(
            try wanted(["--api-ssl-ca", "ca", "--api-ssl-reject-unauthorized"])
                == ListenerTLSSettings.ClientCertificate.none)
        #expect(
            CommandLineFixture.failure(pair + ["--api-ssl-request-cert"])?
                .contains("'--api-ssl-request-cert' needs '--api-ssl-ca <ca-file>'") == true)
    }

    @Test func `without a certificate flags of TLS do nothing`() throws {
        let listeners = try CommandLineFixture.start([
            "--ssl-ca", "ca", "--ssl-request-cert", "--ssl-ciphers", "HIGH",
        ]).configuration.listeners
        #expect(listeners.allSatisfy { $0.tls == nil })
    }

    @Test(arguments: [
        (["--ssl-key", "k"], "option '--ssl-key' needs '--ssl-cert' beside it"),
        (["--ssl-cert", "c"], "option '--ssl-cert' needs '--ssl-key' beside it"),
        (["--api-ssl-key", "k"], "option '--api-ssl-key' needs '--api-ssl-cert' beside it"),
        (
            ["--ssl-key", "k", "--ssl-cert", "c", "--ssl-protocol", "SSLv3"],
            "option '--ssl-protocol' is 'SSLv3': it is TLSv1_2, TLSv1_3 or TLS (both); what is "
                + "older is not offered"
        ),
    ])
    func `TLS that could not work is an error`(_ words: [String], _ text: String) {
        #expect(CommandLineFixture.failure(words) == "error: \(text)\n")
    }

    @Test(arguments: [
        ("TLSv1_3", ListenerTLSSettings.Version.tls13, ListenerTLSSettings.Version.tls13),
        ("TLS", .tls12, .tls13), ("SSLv23", .tls12, .tls13), ("", .tls12, .tls13),
    ])
    func `a protocol is a range of versions`(
        _ text: String, _ minimum: ListenerTLSSettings.Version,
        _ maximum: ListenerTLSSettings.Version
    ) throws {
        let tls = try CommandLineFixture.configuration(
            "--ssl-key", "k", "--ssl-cert", "c", "--ssl-protocol", text
        ).listeners[0].tls
        #expect(tls?.minimum == minimum && tls?.maximum == maximum)
    }

    @Test func `a certificate by flags takes the place of those of the configuration`() throws {
        let yaml = """
            listeners:
              - address: "[::]:8443"
                tls: {certificates: [{certificate: a, key: b}, {certificate: c, key: d}], minimum: "1.3"}
            """
        let tls = try CommandLineFixture.configuration(
            "--ssl-key", "k", "--ssl-cert", "e", yaml: yaml
        ).listeners[0].tls
        #expect(tls?.certificates.map(\.certificate) == ["e"])
        #expect(tls?.minimum == .tls13)
    }

    @Test func `the redirect goes to the port that is public`() throws {
        let pair = ["--ssl-key", "k", "--ssl-cert", "c"]
        func redirect(_ words: String...) throws -> [ListenerSettings] {
            try CommandLineFixture.start(pair + words).configuration.listeners.filter {
                $0.redirect != nil
            }
        }
        let plain = try redirect("--redirect-port", "8080", "--ip", "127.0.0.1")
        #expect(plain.map(\.address.description) == ["[::]:8080"])
        #expect(plain[0].redirect == HTTPSRedirect(status: 301, port: 8000))
        #expect(plain[0].tls == nil && plain[0].role == .public)
        #expect(
            try redirect("--redirect-port", "8080", "--redirect-to", "443")[0].redirect
                == HTTPSRedirect(status: 301, port: 443))
        #expect(
            try redirect("--redirect-port", "8080", "--redirect-to=", "--port", "0")[0].redirect
                == HTTPSRedirect(status: 301, port: nil))
        #expect(try redirect("--redirect-port", "8080", "--port", "80").isEmpty)
        #expect(try redirect("--redirect-port", "8080", "--socket", "/p").isEmpty)
        #expect(try redirect("--redirect-port=").isEmpty)
        #expect(
            CommandLineFixture.failure(pair + ["--redirect-port", "x"])
                == "error: option '--redirect-port' is 'x': a port is a number up to 65535\n")
    }

    @Test func `keep-alive is that of the public listeners`() throws {
        let listeners = try CommandLineFixture.configuration("--keep-alive-timeout", "5000")
            .listeners
        #expect(listeners[0].keepAliveIdle == .seconds(5))
        #expect(listeners[1].keepAliveIdle == nil)
        #expect(try CommandLineFixture.configuration().listeners[0].keepAliveIdle == nil)
        let zero = try CommandLineFixture.configuration("--keep-alive-timeout", "0")
        #expect(zero.listeners[0].keepAliveIdle == nil)
    }
}
