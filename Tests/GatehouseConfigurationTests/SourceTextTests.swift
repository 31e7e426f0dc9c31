import Testing

@testable import GatehouseConfiguration

struct SourceTextTests {
    @Test(arguments: [
        "client_secret: hunter2", "oidc: {client_secret: 'hunter2'}", "client-secret : hunter2",
        "clientSecret: hunter2", "\"client_secret\": hunter2", "password: hunter2",
        "api_token: hunter2", "secrets: hunter2", "CLIENT_SECRET: hunter2",
        "{client_secret:hunter2}", "api_key: hunter2", "apiKey: hunter2", "X-Api-Key: hunter2",
        "passphrase: hunter2", "keys: [hunter2]",
    ])
    func `a line that gives a secret is never shown`(_ line: String) {
        #expect(SourceText(name: "x", text: line).position(line: 0, column: 0).text == nil)
    }

    @Test(arguments: [
        "client_secret_file: /run/secrets/oidc", "issuer: https://token.example.org",
        "# the secret of the client", "insecure_skip_verify: true", "limits: {state_length: 1 B}",
        "tls: {certificates: [{certificate: hub.pem, key: hub.key}]}", "keys_file: keys",
        "backchannel_base_url: http://keycloak:8080/realms/r", "keycloak: {url: http://key:80}",
    ])
    func `other lines are`(_ line: String) {
        #expect(SourceText(name: "x", text: line).position(line: 0, column: 0).text == line)
    }

    @Test func `a place behind the end has no line`() {
        let position = SourceText(name: "x", text: "a\n").position(line: 7, column: 0)
        #expect(position.line == 8)
        #expect(position.text == nil)
    }

    @Test func `lines end where libyaml says that they end`() {
        let source = SourceText(name: "x", text: "a\rb\r\nc\u{85}d\u{2028}e\u{2029}f\n")
        let lines = (0...6).map { source.position(line: $0, column: 0).text }
        #expect(lines == ["a", "b", "c", "d", "e", "f", ""])
    }

    @Test func `before keys are understood a line is shown whose keys are all settings`() {
        func shown(_ line: String) -> Bool {
            SourceText(name: "x", text: line).positionInDoubt(line: 0, column: 0).text != nil
        }
        for line in [
            "log: {level: &x info}", "  - {path: **, allow: public}", "\"log\": 1", "log:",
        ] {
            #expect(shown(line), "\(line)")
        }
        for line in ["clientscrt: !x", "log: {pwd: &x hunter2}", "  hunter2", "", "- *hunter2"] {
            #expect(!shown(line), "\(line)")
        }
    }
}
