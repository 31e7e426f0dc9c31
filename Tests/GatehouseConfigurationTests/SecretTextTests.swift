import GatehouseBase
import Testing

@testable import GatehouseConfiguration

/// Secrets in files and in variables: the same rule for both.
struct SecretTextTests {
    private static let name = "GATEHOUSE_OIDC_CLIENT_SECRET"
    private static let yaml = """
        public_urls: [https://hub.example.org]
        listeners: [{address: "[::]:8443", tls: {certificates: [{certificate: c, key: k}]}}]
        routes: [{path: /, upstream: http://127.0.0.1:8081}]
        access: [{path: /**, allow: signed_in}]
        oidc: {issuer: https://sso.example.org/realms/r, client_id: gatehouse}
        """

    private func decode(_ secret: String) -> DecodedConfiguration {
        Corpus.decode(
            SecretTextTests.yaml, environment: ["HOME": "/h", SecretTextTests.name: secret])
    }

    @Test(arguments: [
        ("abc", "abc"), ("abc\n", "abc"), ("abc\r\n", "abc"), (" a%+ü ", " a%+ü "),
    ])
    func `one end of a line is no part of a secret`(text: String, secret: String) throws {
        let decoded = decode(text)
        #expect(Diagnostic.report(decoded.diagnostics) == "")
        #expect(decoded.configuration?.oidc?.clientSecret == Secret(secret))
        let file = try SecretText.read("/s") { _ in Array(text.utf8) }
        #expect(file == Secret(secret))
    }

    @Test(arguments: [
        ("\n", "is empty"), ("\r\n", "is empty"),
        ("abc\n\n", "holds more than one line of text"),
        ("abc\r\nX: hunter2", "holds more than one line of text"),
    ])
    func `a secret that is nothing or more than a line is refused`(text: String, reason: String) {
        let decoded = decode(text)
        let report = Diagnostic.report(decoded.diagnostics)
        #expect(decoded.configuration == nil)
        #expect(
            report.hasPrefix(
                "environment \(SecretTextTests.name): error: the client's secret \(reason)\n"))
        #expect(!report.contains("hunter2"))
        #expect(throws: SecretText.ReadError.self) {
            try SecretText.read("/s") { _ in Array(text.utf8) }
        }
    }

    @Test func `an empty variable counts as none`() {
        let report = Diagnostic.report(decode("").diagnostics)
        #expect(report.contains("'oidc' has no client secret"))
    }

    @Test(arguments: ["T", "T\n", "T\r\n"])
    func `the end of a line is no part of the token of the routes API`(text: String) throws {
        let start = try CommandLineFixture.start(
            [], environment: ["HOME": "/h", "CONFIGPROXY_AUTH_TOKEN": text])
        #expect(start.configuration.listeners.first { $0.role == .api }?.token == Secret("T"))
    }

    @Test func `a token that is the end of a line is refused`() {
        let environment = ["HOME": "/h", "CONFIGPROXY_AUTH_TOKEN": "\n"]
        #expect(
            CommandLineFixture.failure([], environment: environment)
                == "error: CONFIGPROXY_AUTH_TOKEN is an empty line\n")
    }
}
