import GatehouseBase
import Testing

@testable import GatehouseConfiguration

struct CHPCommandLineForwardingTests {
    private func forwarding(_ words: String...) throws -> ForwardingSettings {
        try CommandLineFixture.start(words).configuration.forwarding
    }

    private func upstream(_ words: String...) throws -> UpstreamSettings {
        try #require(CommandLineFixture.start(words).configuration.routesAPI.upstream)
    }

    @Test func `each flag sets its one setting`() throws {
        #expect(try forwarding("--no-x-forward").forwardedFields == .pass)
        #expect(try forwarding("--no-prepend-path").prependPath == false)
        #expect(try forwarding("--no-prepend-path").includePrefix)
        #expect(try forwarding("--no-include-prefix").includePrefix == false)
        #expect(try forwarding("--no-include-prefix").prependPath)
        #expect(try forwarding("--auto-rewrite").autoRewrite)
        #expect(try forwarding("--change-origin").changeOrigin)
        #expect(try forwarding("--protocol-rewrite", "https").protocolRewrite == "https")
        #expect(try forwarding("--protocol-rewrite", "HTTP:").protocolRewrite == "http")
        #expect(try forwarding("--protocol-rewrite=").protocolRewrite == nil)
        #expect(try forwarding("--error-path", "/pages").errorPages.directory == "/pages")
        #expect(
            try forwarding("--error-target", "http://hub/hub/error").errorPages.target
                == "http://hub/hub/error")
        let configuration = try CommandLineFixture.configuration("--host-routing", "--insecure")
        #expect(configuration.routesAPI.hostRouting)
        #expect(configuration.routesAPI.upstream?.tls.insecureSkipVerify == true)
        #expect(configuration.origin(of: "routes_api.host_routing") == .flag("--host-routing"))
    }

    @Test func `a reader may pause for as long as it likes, unless a file says otherwise`() throws {
        #expect(try CommandLineFixture.configuration().limits.writeStall == nil)
        let yaml = "limits: {write_stall: 5s}"
        let limited = try CommandLineFixture.configuration(yaml: yaml)
        #expect(limited.limits.writeStall == .seconds(5))
    }

    @Test func `flags win over the same settings of a configuration`() throws {
        let yaml = "forwarding: {prepend_path: true, forwarded_fields: replace}"
        let plain = try CommandLineFixture.configuration(yaml: yaml)
        #expect(plain.forwarding.forwardedFields == .replace && plain.forwarding.prependPath)
        let flags = try CommandLineFixture.configuration(
            "--no-prepend-path", "--no-x-forward", yaml: yaml)
        #expect(flags.forwarding.forwardedFields == .pass && !flags.forwarding.prependPath)
        #expect(flags.origin(of: "forwarding.prepend_path") == .flag("--no-prepend-path"))
    }

    @Test func `custom headers are trimmed, split at the first colon, and the last of a name wins`()
        throws
    {
        let fields = try forwarding(
            "--custom-header", " X-One : 1:2 ", "--custom-header=Host:h", "--custom-header",
            "x-one: 3", "--custom-header", "X-Empty:"
        ).requestFields
        #expect(fields.map(\.name) == ["Host", "x-one", "X-Empty"])
        #expect(fields.map(\.value) == ["h", "3", ""])
    }

    @Test(arguments: [
        ("a b: x", "that is no name of a field"),
        ("Content-Length: 1", "it belongs to the connection and cannot be set"),
        ("Transfer_Encoding: chunked", "it belongs to the connection and cannot be set"),
        ("Sec-WebSocket-Key: x", "it belongs to the connection and cannot be set"),
        ("X: a\nb", "its value is more than one line of text"),
    ])
    func `a custom header that would break requests is refused`(_ header: String, _ text: String) {
        let name = header.split(separator: ":")[0]
        #expect(
            CommandLineFixture.failure(["--custom-header", header])
                == "error: option '--custom-header' is '\(name): …': \(text)\n")
    }

    @Test func `times are milliseconds, and no number is no limit`() throws {
        #expect(try forwarding("--timeout", "1500").exchangeIdle == .milliseconds(1500))
        #expect(try forwarding("--timeout", "x").exchangeIdle == nil)
        #expect(try forwarding("--timeout", "0").exchangeIdle == nil)
        let timed = try upstream("--proxy-timeout", "2000")
        #expect(timed.firstByteTimeout == .seconds(2) && timed.responseIdle == .seconds(2))
        let plain = try upstream()
        #expect(plain.firstByteTimeout == nil && plain.responseIdle == nil)
        #expect(plain.connectTimeout == Limits().connectTime && plain.maximumConnections == nil)
    }

    @Test(arguments: [
        ("http://h:8081/hub/error", "/"), ("http://h:8081/base/hub/error", "/base/"),
        ("https://h/a/b/hub/error/", "/a/b/"),
        ("http://h/@/space%20word/hub/error", "/@/space word/"),
        ("http+unix://%2Frun%2Fhub.sock/base/hub/error?x=/y", "/base/"), ("http://h", "/"),
        ("http://h/", "/"), ("http://h/errors", "/"), ("http://h/base/hub/errors", "/"),
        ("http://h/my hub/hub/error", "/my hub/"), ("http://h/%C3%BC/hub/error", "/ü/"),
    ])
    func `the Hub's base URL is read off the error target`(_ target: String, _ base: String) throws
    {
        let configuration = try CommandLineFixture.configuration("--error-target", target)
        #expect(configuration.jupyterHub.baseURL.path == base)
    }

    @Test func `the default target is any text, as the API takes it`() throws {
        func target(_ text: String) throws -> String? {
            try CommandLineFixture.configuration("--default-target", text).routesAPI.defaultTarget
        }
        #expect(try target("http://h:1") == "http://h:1")
        #expect(try target("garbage") == "garbage")
        #expect(try target("") == nil)
    }

    @Test func `client TLS is what targets see`() throws {
        let tls = try upstream(
            "--client-ssl-key", "k", "--client-ssl-cert", "c", "--client-ssl-ca", "ca",
            "--ssl-protocol", "TLSv1_2", "--ssl-ciphers", "HIGH"
        ).tls
        #expect(tls.key == "k" && tls.certificate == "c" && tls.caFile == "ca")
        #expect(!tls.trustsSystem && !tls.insecureSkipVerify)
        #expect(tls.minimum == .tls12 && tls.maximum == .tls12 && tls.ciphers == "HIGH")
        let authority = try upstream("--client-ssl-ca", "ca").tls
        #expect(authority.caFile == "ca" && authority.key == nil && !authority.trustsSystem)
        let none = try upstream("--ssl-protocol", "TLSv1_2", "--ssl-ciphers", "HIGH").tls
        #expect(none.trustsSystem && none.minimum == nil && none.ciphers == nil)
        #expect(
            CommandLineFixture.failure(["--client-ssl-key", "k"])
                == "error: option '--client-ssl-key' needs '--client-ssl-cert' beside it\n")
    }

    @Test func `an error target that cannot be asked is refused`() {
        let text = CommandLineFixture.failure(["--error-target", "hub:8081/hub/error"])
        #expect(text?.contains("'hub:8081/hub/error' cannot be asked for error pages") == true)
    }

    @Test func `a scheme that is none is refused`() {
        #expect(
            CommandLineFixture.failure(["--protocol-rewrite", "gopher"])
                == "error: option '--protocol-rewrite' is 'gopher': it is http or https\n")
    }
}
