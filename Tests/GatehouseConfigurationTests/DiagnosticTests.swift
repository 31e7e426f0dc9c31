import GatehouseConfiguration
import Testing

struct DiagnosticTests {
    private func position(_ line: Int, _ column: Int, _ text: String?) -> SourcePosition {
        SourcePosition(file: "config/gatehouse.yaml", line: line, column: column, text: text)
    }

    @Test func `a report shows place, message, line, caret, remedy and counts`() {
        let error = Diagnostic(
            .error, at: position(14, 22, "    connect_timeout: 5"),
            "'upstreams.hub.connect_timeout' is '5': a duration needs a unit", hint: "write '5s'")
        let warning = Diagnostic(.warning, at: position(3, 1, "x: 1"), "odd")
        #expect(
            Diagnostic.report([error, error, warning]) == """
                config/gatehouse.yaml:3:1: warning: odd
                    3 | x: 1
                      | ^
                config/gatehouse.yaml:14:22: error: 'upstreams.hub.connect_timeout' is '5': a duration needs a unit
                   14 |     connect_timeout: 5
                      |                      ^ write '5s'
                1 error, 1 warning

                """)
    }

    @Test func `the counts are in words`() {
        let lines = (1...2).map { Diagnostic(.error, at: position($0, 1, "x"), "odd") }
        #expect(Diagnostic.report(lines).hasSuffix("\n2 errors\n"))
        #expect(Diagnostic.report([]) == "")
    }

    @Test func `a line that may hold a secret is not shown, its remedy is`() {
        let diagnostic = Diagnostic(.error, at: position(2, 3, nil), "odd", hint: "do this")
        #expect(diagnostic.rendered == "config/gatehouse.yaml:2:3: error: odd\n      | do this")
        #expect(diagnostic.line == "config/gatehouse.yaml:2:3: error: odd (do this)")
    }

    @Test func `a password in a URL is not said`() {
        let diagnostic = Diagnostic(
            .error, "'http://alice:pa@ss@hub:8081/x' and 'https://b' are odd",
            hint: "write 'http://alice:pass@hub'")
        #expect(
            diagnostic.rendered
                == "error: 'http://…@hub:8081/x' and 'https://b' are odd\n"
                + "      | write 'http://…@hub'")
        let yaml =
            "upstreams:\n  hub: {url: \"http://alice:\(String(repeating: "p", count: 80))@hub\"}\n"
        let report = Diagnostic.report(
            ConfigurationDecoder.decode(
                text: yaml, name: "a.yaml", environment: [:], readFile: { _ in [] }
            ).diagnostics)
        #expect(report.contains("'upstreams.hub.url' is 'http://…@hub', which is no origin"))
        #expect(!report.contains("pp"))
    }

    @Test func `what has no place names its source`() {
        let diagnostic = Diagnostic(.error, source: "environment GATEHOUSE_LOOPS", "odd")
        #expect(diagnostic.rendered == "environment GATEHOUSE_LOOPS: error: odd")
    }

    @Test func `a tab keeps the caret in its column`() {
        let diagnostic = Diagnostic(.error, at: position(1, 3, "a\tb"), "odd")
        #expect(diagnostic.rendered.hasSuffix("    1 | a b\n      |   ^"))
    }

    @Test func `lines with more than five digits keep their caret`() {
        let diagnostic = Diagnostic(.error, at: position(123_456, 1, "a"), "odd")
        #expect(diagnostic.rendered.hasSuffix("\n123456 | a\n       | ^"))
    }
}
