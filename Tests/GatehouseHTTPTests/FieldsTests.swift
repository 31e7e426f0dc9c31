import GatehouseBase
import Testing

@testable import GatehouseHTTP

@Suite struct FieldsTests {
    @Test func `lines keep their order and their bytes`() throws {
        let some = try fields("B: 1", "a:  2 \t", "B:", "Cookie: x=\"y\"; z=|")
        #expect(lines(some) == ["B: 1", "a: 2", "B: ", "Cookie: x=\"y\"; z=|"])
        #expect(some.count == 4 && !some.isEmpty)
        #expect(some[3].name == .cookie)
    }

    @Test func `lines are found by name`() throws {
        let some = try fields("X: 1", "Accept: a", "accept: b", "ACCEPT: c", "X_Y: d")
        #expect(some.firstIndex(of: .accept) == 1)
        #expect(some.firstIndex(of: .accept, from: 2) == 2)
        #expect(some.firstIndex(of: .accept, from: 4) == nil)
        #expect(some.firstIndex(of: .host) == nil)
        #expect(some.firstIndex(of: .xGatehouseLogin) == nil)
        #expect(some.count(of: .accept) == 3 && some.count(of: .host) == 0)
        #expect(some.firstIndex(named: "x") == 0 && some.firstIndex(named: "x_y") == 4)
        #expect(some.text(.accept) == "a" && some.text(.host) == nil)
    }

    @Test func `text that is no UTF-8 is none`() throws {
        var some = Fields()
        let bytes: [UInt8] = Array("Accept: ".utf8) + [0xFF, 0x0D, 0x0A, 0x0D, 0x0A]
        _ = try HeadParser.requests(Limits()).parseTrailers(bytes.span, into: &some)
        #expect(some.text(.accept) == nil && some.count == 1)
    }

    @Test func `lists are read over all lines`() throws {
        let some = try fields("Connection: a , ,B", "X: y", "Connection: \tkeep-Alive\t,")
        #expect(some.lists(.connection, "a") && some.lists(.connection, "b"))
        #expect(some.lists(.connection, "keep-alive"))
        #expect(!some.lists(.connection, "keep") && !some.lists(.connection, "y"))
        #expect(!some.lists(.accept, "a"))
    }

    @Test func `lines can be added to a parsed section`() throws {
        var some = try fields("A: 1")
        some.append("X-Gatehouse-Assertion", "e30")
        some.append(.location, "/a")
        some.append("x_forwarded_for", "1")
        #expect(
            lines(some) == [
                "A: 1", "X-Gatehouse-Assertion: e30", "Location: /a", "x_forwarded_for: 1",
            ])
        #expect(some[1].name == .xGatehouseAssertion && some[2].name == .location)
        #expect(some[3].name == .other && some[3].resembles == .xForwardedFor)
        #expect(some.firstIndex(of: .location) == 2)
    }

    @Test func `names and values are judged before they are added`() {
        #expect(Fields.isValid(name: "X-A") && Fields.isValid(name: "!#$%&'*+-.^_`|~"))
        for name in ["", "X A", "X:", "X\r\n", "Ä", "X\0"] { #expect(!Fields.isValid(name: name)) }
        for value in ["", " a\tb ", "ü", "\u{80}"] { #expect(Fields.isValid(value: value)) }
        for value in ["a\r\nB: c", "\r", "\n", "\0", "\u{7F}", "\u{1B}"] {
            #expect(!Fields.isValid(value: value))
        }
    }

    @Test(arguments: [
        ("a", ["a"]), ("a,b", ["a", "b"]), (" a , b\t,", ["a", "b"]), ("", []), (",, ,", []),
        ("a b, c", ["a b", "c"]), (",a", ["a"]),
    ])
    func `a list is walked without its empty elements`(text: String, expected: [String]) {
        let bytes = Array(text.utf8)
        var rest = CommaSeparated(bytes.span)
        var elements: [String] = []
        while let element = rest.next() { elements.append(element.repairedText) }
        #expect(elements == expected)
    }

    @Test(arguments: [
        ("a=\"b, c\", d", ["a=\"b, c\"", "d"], false), ("\"\\\", x\"", ["\"\\\", x\""], false),
        ("a, \"b, c", ["a", "\"b, c"], true), ("\"\\", ["\"\\"], true), ("a,b", ["a", "b"], false),
    ])
    func `a comma in quotes is none of the list's`(
        text: String, expected: [String], isCutOff: Bool
    ) {
        let bytes = Array(text.utf8)
        var rest = CommaSeparated(bytes.span, quotes: true)
        var elements: [String] = []
        while let element = rest.next() { elements.append(element.repairedText) }
        #expect(elements == expected && rest.isCutOff == isCutOff)
    }
}

@Suite struct OwnedNamesTests {
    @Test func `a name is ours in every spelling`() {
        let owned = OwnedNames(["X-WEBAUTH-USER", "Remote_Groups"])
        for text in [
            "x-webauth-user", "X_WebAuth.User", "X+WebAuth~User", "remote-groups", "REMOTE'GROUPS",
        ] {
            #expect(contains(owned, text))
        }
        for text in ["x-webauth-use", "x-webauth-users", "remotegroups", "", "x0webauth0user"] {
            #expect(!contains(owned, text))
        }
        #expect(!contains(OwnedNames([]), "x"))
    }

    private func contains(_ owned: OwnedNames, _ text: String) -> Bool {
        owned.contains(Array(text.utf8).span)
    }
}
