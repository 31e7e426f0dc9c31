import GatehouseBase
import Testing

struct FormFieldsTests {
    @Test func `order, duplicates and empty values are kept`() throws {
        let form = try #require(FormFields(parsing: Array("a=1&b=&a=2&c&=x".utf8)))
        #expect(form.entries.map(\.name) == ["a", "b", "a", "c", ""])
        #expect(form.entries.map(\.value) == ["1", "", "2", "", "x"])
        #expect(form["a"] == "1")
        #expect(form.all(named: "a") == ["1", "2"])
        #expect(form["d"] == nil)
    }

    @Test func `plus is a blank and escapes are decoded`() throws {
        let form = try #require(FormFields(parsing: Array("a+b=c%2Bd+e%3D%26&x=1=2".utf8)))
        #expect(form["a b"] == "c+d e=&")
        #expect(form["x"] == "1=2")
    }

    /// C37.
    @Test(arguments: ["", "&", "&&&", "?", "=", "&=&"])
    func `strange queries are read without a crash`(query: String) {
        #expect(FormFields(parsing: Array(query.utf8)) != nil)
    }

    @Test(arguments: ["a=%", "a=%2", "%zz=1", "a=%FF"])
    func `broken escapes and what is not UTF-8 are refused`(query: String) {
        #expect(FormFields(parsing: Array(query.utf8)) == nil)
    }

    @Test(arguments: [
        ("a=%zz", "%zz"), ("a=1&b=%", "1"), ("a=%2", "%2"), ("%zz=2&a=%41+%", "A %"),
        ("a=%FF", "\u{FFFD}"), ("a=%C3%A4", "ä"), ("a=1&a=2", "1"), ("b", nil),
    ])
    func `leniently read, a broken escape stays and spoils nothing else`(
        query: String, value: String?
    ) {
        #expect(FormFields(lenient: Array(query.utf8))["a"] == value)
    }

    @Test func `what is written is read again`() throws {
        let fields = [("scope", "openid profile"), ("x", "ü&=+%~"), ("", "")]
        let text = FormFields.encode(fields)
        #expect(text == "scope=openid+profile&x=%C3%BC%26%3D%2B%25%7E&=")
        let form = try #require(FormFields(parsing: Array(text.utf8)))
        #expect(form.entries.map(\.name) == fields.map(\.0))
        #expect(form.entries.map(\.value) == fields.map(\.1))
    }
}
