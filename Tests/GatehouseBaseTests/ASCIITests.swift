import GatehouseBase
import Testing

private let letters = "abcdefghijklmnopqrstuvwxyz"

@Suite struct ASCIITests {
    @Test func `token bytes are those of RFC 9110`() {
        let token = Set("!#$%&'*+-.^_`|~0123456789\(letters)\(letters.uppercased())".utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(ASCII.isToken(byte) == token.contains(byte), "\(byte)")
        }
    }

    @Test func `a field value holds no control character but the tab`() {
        for byte in UInt8.min...UInt8.max {
            let expected = byte == 9 || (byte >= 0x20 && byte != 0x7F)
            #expect(ASCII.isFieldValue(byte) == expected, "\(byte)")
        }
    }

    @Test func `a target holds what is visible, but no hash`() {
        for byte in UInt8.min...UInt8.max {
            let expected = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
            #expect(ASCII.isTarget(byte) == expected, "\(byte)")
        }
    }

    @Test func `digits have their values`() {
        let digits = Array("0123456789abcdef".utf8)
        for byte in UInt8.min...UInt8.max {
            let folded = byte >= 0x41 && byte <= 0x46 ? byte + 0x20 : byte
            #expect(ASCII.hexValue(byte).map(Int.init) == digits.firstIndex(of: folded))
            #expect(ASCII.isDigit(byte) == (byte >= 0x30 && byte <= 0x39))
        }
    }

    @Test func `folding touches nothing but letters and what backends take for a dash`() {
        for byte in UInt8.min...UInt8.max {
            let isUpper = byte >= 0x41 && byte <= 0x5A
            #expect(ASCII.lowercased(byte) == (isUpper ? byte + 0x20 : byte))
            let isLower = byte >= 0x61 && byte <= 0x7A
            let isName = isUpper || isLower || ASCII.isDigit(byte)
            #expect(ASCII.foldedName(byte) == (isName ? ASCII.lowercased(byte) : 0x2D))
        }
    }
}

@Suite struct SpanTests {
    @Test(arguments: [
        "", "a", "content-length", "CONTENT-Length", "content_length", "content-lengt",
    ])
    func `text is compared in three ways`(text: String) {
        let bytes = Array(text.utf8)
        #expect(bytes.span.equals("content-length") == (text == "content-length"))
        let isSame = text.lowercased() == "content-length"
        #expect(bytes.span.equalsIgnoringCase("content-length") == isSame)
        #expect(bytes.span.equalsFolded("content-length") == isSame)
        let (isSelf, isLonger) = (
            bytes.span.equals(bytes.span), bytes.span.equals((bytes + [0]).span)
        )
        #expect(isSelf && !isLonger)
    }

    @Test func `names of every length are compared to their last byte`() {
        let names: [StaticString] = [
            "a", "ab", "abcdefg", "abcdefgh", "abcdefghi", "abcdefgh-jklmno", "abcdefghijklmnop",
            "abcdefghijklmnopq",
        ]
        for name in names {
            let bytes = Array(name.description.utf8)
            let upper = Array(name.description.uppercased().utf8)
            #expect(bytes.span.equalsFolded(name) && upper.span.equalsFolded(name))
            for index in bytes.indices {
                var changed = upper
                changed[index] = UInt8(ascii: "_")
                let isEqual = changed.span.equalsFolded(name)
                #expect(!isEqual)
            }
        }
    }

    @Test func `a beginning is compared as backends fold names`() {
        for text in ["x-gatehouse", "X_GATEHOUSE", "x.Gatehouse-New", "x~GATEHOUSE", "X'Gatehouse"]
        {
            let isLike = Array(text.utf8).span.startsLike("x-gatehouse")
            #expect(isLike)
        }
        for text in ["x-gatehous", "xxgatehouse", "", "x0gatehouse"] {
            let isLike = Array(text.utf8).span.startsLike("x-gatehouse")
            #expect(!isLike)
        }
    }

    @Test func `a beginning is compared whatever its case`() {
        for text in ["text/event-stream", "TEXT/Event-Stream; charset=utf-8"] {
            let isLike = Array(text.utf8).span.startsIgnoringCase("text/event-stream")
            #expect(isLike)
        }
        for text in ["text/event-strea", "text-event-stream", "text/event_stream", ""] {
            let isLike = Array(text.utf8).span.startsIgnoringCase("text/event-stream")
            #expect(!isLike)
        }
    }

    @Test(arguments: [(" a b\t", "a b"), ("", ""), (" \t ", ""), ("a", "a"), ("\u{B}a", "\u{B}a")])
    func `blanks at both ends are trimmed`(text: String, expected: String) {
        #expect(Array(text.utf8).span.trimmed.array == Array(expected.utf8))
    }

    @Test func `bytes become text`() {
        let good = Array("aü".utf8)
        #expect(good.span.text == "aü" && good.span.repairedText == "aü")
        let bad: [UInt8] = [0x61, 0xFF]
        #expect(bad.span.text == nil && bad.span.repairedText == "a\u{FFFD}")
        #expect(bad.span.array == bad)
        var copy: [UInt8] = [1]
        copy.append(copying: bad.span)
        copy.append(copying: Span())
        #expect(copy == [1, 0x61, 0xFF])
    }

    /// The scanners read words; each must say what a loop over bytes says.
    @Test(arguments: 0..<40)
    func `scanning in words finds what a scan by bytes finds`(count: Int) {
        let plain = [UInt8](repeating: UInt8(ascii: "a"), count: count)
        expectSameScans(plain)
        for index in 0..<count {
            for byte in UInt8.min...UInt8.max {
                var bytes = plain
                bytes[index] = byte
                expectSameScans(bytes)
            }
        }
    }

    @Test func `scanning in words is not misled by bytes that follow a stop`() {
        var random = SystemRandomNumberGenerator()
        let likely: [UInt8] = [0, 1, 9, 0x0A, 0x1F, 0x20, 0x21, 0x23, 0x3B, 0x7E, 0x7F, 0x80, 0xFF]
        for _ in 0..<20_000 {
            var bytes = [UInt8](repeating: 0x61, count: Int.random(in: 0...24, using: &random))
            for index in bytes.indices where Bool.random(using: &random) {
                bytes[index] = likely.randomElement(using: &random) ?? 0
            }
            expectSameScans(bytes)
        }
    }

    private func expectSameScans(_ bytes: [UInt8]) {
        let span = bytes.span
        for start in [0, bytes.count / 2, bytes.count] {
            let rest = bytes[start...]
            let value = rest.firstIndex { !ASCII.isFieldValue($0) } ?? bytes.count
            let target = rest.firstIndex { !ASCII.isTarget($0) } ?? bytes.count
            let token = rest.firstIndex { !ASCII.isToken($0) } ?? bytes.count
            let semicolon = rest.firstIndex(of: 0x3B) ?? bytes.count
            let isSame =
                span.fieldValueEnd(from: start) == value && span.targetEnd(from: start) == target
                && span.tokenEnd(from: start) == token
                && span.offset(of: 0x3B, from: start) == semicolon
            if !isSame { Issue.record("\(bytes) from \(start)") }
        }
    }
}
