import Testing

@testable import GatehouseConfiguration

struct SourceTextTests {
    @Test(arguments: [
        "client_secret: hunter2", "oidc: {client_secret: 'hunter2'}", "client-secret : hunter2",
        "clientSecret: hunter2", "\"client_secret\": hunter2", "password: hunter2",
        "api_token: hunter2", "secrets: hunter2", "CLIENT_SECRET: hunter2",
    ])
    func `a line that gives a secret is never shown`(_ line: String) {
        #expect(SourceText(name: "x", text: line).position(line: 0, column: 0).text == nil)
    }

    @Test(arguments: [
        "client_secret_file: /run/secrets/oidc", "issuer: https://token.example.org",
        "# the secret of the client", "insecure_skip_verify: true", "limits: {state_length: 1 B}",
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
}
