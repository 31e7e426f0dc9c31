import GatehouseBase
import Testing

struct TextCodingTests {
    /// RFC 4648 §10, without padding.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"),
        ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
    ])
    func `base64url is written and read without padding`(text: String, code: String) {
        #expect(Base64URL.encode(Array(text.utf8)) == code)
        #expect(Base64URL.decode(code) == Array(text.utf8))
    }

    @Test(arguments: [
        "Zg==", "Zg=", "Z", "Zm9vY", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zh", "Zm9", "Zé",
    ])
    func `what base64url would not write is refused`(code: String) {
        #expect(Base64URL.decode(code) == nil)
    }

    @Test func `all bytes survive base64url`() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 251) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
        #expect(Base64URL.encode([0xFB, 0xFF, 0xFE]) == "-__-")
        #expect(Base64.encode([0xFB, 0xFF, 0xFE]) == "+//+")
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v")])
    func `base64 is padded`(text: String, code: String) {
        #expect(Base64.encode(Array(text.utf8)) == code)
    }

    @Test func `hex is written in lower case and read in both`() {
        #expect(Hex.encode([0, 0x0F, 0xA5, 0xFF]) == "000fa5ff")
        #expect(Hex.decode("000fA5Ff") == [0, 0x0F, 0xA5, 0xFF])
        #expect(Hex.decode("0") == nil)
        #expect(Hex.decode("0g") == nil)
    }

    @Test func `percent-encoding keeps the unreserved characters only`() {
        #expect(PercentCoding.encode("aZ09-._~") == "aZ09-._~")
        #expect(PercentCoding.encode("a b/ü%+") == "a%20b%2F%C3%BC%25%2B")
        #expect(PercentCoding.decode("a%20b%2f%C3%BC+") == "a b/ü+")
    }

    @Test(arguments: ["%", "%2", "a%", "%zz", "%2g", "%%20"])
    func `a broken escape is refused`(text: String) {
        #expect(PercentCoding.decode(text) == nil)
    }

    @Test func `an escape that is not UTF-8 has bytes and no text`() {
        #expect(PercentCoding.decode("%FF") == nil)
        #expect(PercentCoding.decodeBytes(Array("%FF%00".utf8)[...]) == [0xFF, 0])
    }

    @Test func `texts that only look alike are not the same bytes`() {
        #expect("\u{212A}" == "K")
        #expect(!sameBytes("\u{212A}", "K"))
        #expect(!sameBytes("e\u{301}", "é"))
        #expect(sameBytes("", "") && sameBytes("é", "é"))
    }
}
