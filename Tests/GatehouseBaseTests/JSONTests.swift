import GatehouseBase
import Testing

struct JSONTests {
    private func parse(
        _ text: String, size: Int = 10_000, depth: Int = 16
    ) throws(JSONError) -> JSONValue {
        try JSONValue.parse(Array(text.utf8), maximumSize: size, maximumDepth: depth)
    }

    @Test func `every kind of value is read`() throws {
        let value = try parse(
            #" {"a": [1, -2.5, 1e3, true, false, null], "b": {"c": "d"}, "é": "" } "#)
        #expect(
            value == [
                "a": [1, -2.5, 1000, true, false, .null], "b": ["c": "d"], "é": "",
            ])
        #expect(value["b"]?["c"]?.string == "d")
        #expect(value["a"]?.array?.count == 6)
        #expect(value["a"]?.strings == nil)
        #expect(value["x"] == nil)
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""A\u00e9""#, "Aé"),
        (#""\uD83D\uDE00""#, "😀"), ("\"😀\"", "😀"), (#""\u0000""#, "\0"),
    ])
    func `escapes are read`(text: String, expected: String) throws {
        #expect(try parse(text) == .string(expected))
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "[1 2]", "{\"a\" 1}", "tru",
        "nul", "True", "NaN", "Infinity", "-", "01", "1.", ".5", "1e", "1e+", "+1", "0x10", "1 1",
        "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "\"\\uD800\"",
        "\"\\uD800x\"", "\"\\uD800\\u0041\"", "\"\\uDC00\"", "[]]", "{}x", "\u{FEFF}{}", "// {}",
        "[\"\t\"]",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        for bytes: [UInt8] in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0xFF, 0xFE]] {
            #expect(throws: JSONError.self) { try JSONValue.parse(bytes, maximumSize: 10) }
        }
    }

    /// Two readers could take different ones.
    @Test func `a name given twice is refused, however it is spelled`() {
        #expect(throws: JSONError.duplicateName(offset: 7)) { try parse(#"{"a":1,"a":2}"#) }
        #expect(throws: JSONError.self) { try parse(#"{"a":1,"\u0061":2}"#) }
        #expect(throws: JSONError.self) { try parse(#"[{"b":{"a":1,"a":1}}]"#) }
    }

    @Test func `size and depth have limits`() throws {
        #expect(throws: JSONError.tooLarge) { try parse("[1,2]", size: 4) }
        #expect(throws: Never.self) { try parse("[1,2]", size: 5) }
        #expect(throws: Never.self) { try parse("[[{\"a\":[]}]]", depth: 4) }
        #expect(throws: JSONError.tooDeep(offset: 7)) { try parse("[[{\"a\":[]}]]", depth: 3) }
        let bomb = String(repeating: "[", count: 9000)
        #expect(throws: JSONError.tooDeep(offset: 16)) { try parse(bomb) }
    }

    @Test func `siblings do not count as depth`() throws {
        let wide = "[" + Array(repeating: "[]", count: 1000).joined(separator: ",") + "]"
        #expect(try parse(wide, depth: 2).array?.count == 1000)
    }

    /// C15.
    @Test func `large numbers neither wrap nor trap`() throws {
        #expect(try parse("1e300").number == 1e300)
        #expect(try parse("123456789012345678901234567890").number == 1.2345678901234568e29)
        #expect(try parse("-9223372036854775809").number == -9.223372036854775808e18)
        #expect(throws: JSONError.number(offset: 1)) { try parse("[1e999]") }
    }

    @Test func `writing sorts names and escapes what it must`() throws {
        let value: JSONValue = [
            "b": [1, 2.5, .null, true], "a": "q\"\\\n\u{1}\u{7F}é", "c": [:], "Z": -0.5,
        ]
        let text = #"{"Z":-0.5,"a":"q\"\\\n\u0001\u007fé","b":[1,2.5,null,true],"c":{}}"#
        #expect(String(decoding: value.encoded(), as: UTF8.self) == text)
        #expect(try parse(text) == value)
    }

    @Test func `numbers are written so that they are read again`() throws {
        for number in [0, 1, -1, 1_795_254_434, 0.1, 1e300, 9_007_199_254_740_992, -1e-9] {
            let bytes = JSONValue.number(number).encoded()
            #expect(try JSONValue.parse(bytes, maximumSize: 100).number == number)
        }
        #expect(JSONValue.number(.infinity).encoded() == Array("null".utf8))
        #expect(JSONValue.number(1_795_254_434).encoded() == Array("1795254434".utf8))
    }
}
