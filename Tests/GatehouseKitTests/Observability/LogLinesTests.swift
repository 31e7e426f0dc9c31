import GatehouseBase
import GatehouseConfiguration
import Testing

@testable import GatehouseKit

struct LogLinesTests {
    private func line(
        _ format: LogSettings.Format, _ fields: [(String, String)], message: String = "",
        label: String = ""
    ) -> String {
        var lines = LogLines(format)
        lines.begin(
            Timestamp(seconds: 1_764_044_121.0425), level: "notice", label: label, message: message)
        for (name, value) in fields { lines.field(named: name, value) }
        lines.end()
        return String(decoding: lines.take(), as: UTF8.self)
    }

    @Test func `text is for people`() {
        #expect(
            line(.text, [("user", "alice"), ("empty", "")], message: "hello", label: "gate")
                == "2025-11-25T04:15:21.042Z notice gate: hello user=alice empty=\"\"\n")
    }

    @Test func `JSON is for machines`() {
        #expect(
            line(.json, [("user", "alice")], message: "hello", label: "gate")
                == #"{"time":"2025-11-25T04:15:21.042Z","level":"notice","label":"gate","#
                + #""message":"hello","user":"alice"}"# + "\n")
    }

    @Test(arguments: [
        ("a b", #""a b""#), (#"a"b"#, #""a\"b""#), ("a=b", #""a=b""#), (#"a\b"#, #""a\\b""#),
        ("a\nb\r\t", #""a\nb\r\t""#), ("\u{1}\u{1F}\u{7F}", #""\u0001\u001f\u007f""#),
        ("ü", "ü"), ("‹secret›", "‹secret›"),
    ])
    func `no value breaks its line or its quotes`(value: String, written: String) throws {
        #expect(line(.text, [("x", value)]) == "2025-11-25T04:15:21.042Z notice x=\(written)\n")
        let json = try JSONValue.parse(Array(line(.json, [("x", value)]).utf8), maximumSize: 1000)
        #expect(json["x"] == .string(value))
    }

    @Test func `no message breaks its line`() {
        let text = line(.text, [], message: "a\nb\u{1B}[31m\u{7F}")
        #expect(text == "2025-11-25T04:15:21.042Z notice: a\u{FFFD}b\u{FFFD}[31m\u{FFFD}\n")
    }

    @Test(arguments: [LogSettings.Format.text, .json])
    func `numbers, times and ids are values like others`(format: LogSettings.Format) {
        var lines = LogLines(format)
        for seconds in [0, 0.999_9, 1_764_044_121] {
            lines.begin(Timestamp(seconds: seconds), level: "access")
            lines.field("status", 200)
            lines.field("total_ms", .microseconds(12_034))
            lines.field("id", hexadecimal16: 0xAB)
            lines.end()
        }
        let values =
            format == .text
            ? "status=200 total_ms=12.034 id=00000000000000ab"
            : #""status":"200","total_ms":"12.034","id":"00000000000000ab"}"#
        let written = String(decoding: lines.take(), as: UTF8.self).split(separator: "\n")
        #expect(written.map { $0.hasSuffix(values) } == [true, true, true])
        #expect(written[1].contains("1970-01-01T00:00:00.999Z"))
        #expect(written[2].contains("2025-11-25T04:15:21.000Z"))
        let isEmpty = lines.isEmpty
        #expect(isEmpty)
    }
}
