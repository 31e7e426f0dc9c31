import GatehouseBase
import Testing

@testable import GatehouseHTTP

private let session = "__Host-Http-gatehouse"

private func forwarded(_ value: String) -> String? {
    var buffer = ByteBuffer()
    let bytes = Array(value.utf8)
    let isLeft = CookieField.append(to: &buffer, value: bytes.span)
    let text = buffer.readable.repairedText
    if !isLeft { #expect(text.isEmpty) }
    return isLeft ? text : nil
}

@Suite struct CookieFindTests {
    private func find(_ lines: String...) throws -> String? {
        let text = lines.map { "Cookie: \($0)\r\n" }.joined() + "\r\n"
        var fields = Fields()
        _ = try HeadParser.requests(Limits()).parseTrailers(Array(text.utf8).span, into: &fields)
        return switch CookieField.find(ReservedCookies.session, in: fields) {
        case .absent: nil
        case .several: "several"
        case .one(let place): fields.cookie(at: place).repairedText
        }
    }

    @Test func `a cookie is found wherever it stands`() throws {
        #expect(try find("\(session)=abc") == "abc")
        #expect(try find("a=1; \(session)=abc") == "abc")
        #expect(try find("\(session)=abc; a=1") == "abc")
        #expect(try find("a=1;\(session)=abc;b=2") == "abc")
        #expect(try find("a=1;  \t\(session)=abc \t; b=2") == "abc")
        #expect(try find("a=1", "\(session)=abc") == "abc")
        #expect(try find("\(session)=") == "")
        #expect(try find("\(session)=a=b==; c") == "a=b==")
    }

    @Test func `no other name is taken for it`() throws {
        #expect(try find() == nil)
        #expect(try find("") == nil)
        #expect(try find("a=1") == nil)
        #expect(try find("\(session)") == nil)
        #expect(try find("\(session)-tx-1=abc") == nil)
        #expect(try find("x\(session)=abc") == nil)
        #expect(try find("__host-http-gatehouse=abc") == nil)
        #expect(try find("\(session) =abc") == nil)
        #expect(try find("\"\(session)\"=abc") == nil)
        #expect(try find("a=\(session)=abc") == nil)
        #expect(try find("=\(session)=abc") == nil)
    }

    @Test func `two copies are several`() throws {
        #expect(try find("\(session)=a; \(session)=a") == "several")
        #expect(try find("\(session)=a", "b=1; \(session)=b") == "several")
        #expect(try find("\(session)=a; \(session)=b; \(session)=c") == "several")
    }

    @Test func `a quoted value of another cookie hides nothing`() throws {
        #expect(try find("a=\"x; \(session)=abc; b=y\"") == "abc")
    }

    @Test func `cookies of logins in progress are shown one by one`() throws {
        let head = try fields(
            "Cookie: a=1; \(session)-tx-one=1; \(session)=s; \(session)-tx-=2", "X: y",
            "Cookie: \(session)-tx-two=3;\(session)-TX-three=4; \(session)-tx-four")
        var seen: [String] = []
        CookieField.forEach(withPrefix: ReservedCookies.transactionPrefix, in: head) {
            rest, value in
            seen.append("\(rest.repairedText)=\(value.repairedText)")
        }
        #expect(seen == ["one=1", "=2", "two=3"])
    }
}

@Suite struct CookieForwardingTests {
    @Test(arguments: [
        "a=1", "a=1; b=2", "a=1;b=2", "a=\"1; b=2\"", "_xsrf=2|abc|def|170; _xsrf=x", "a", "=b",
        "a=1;", "a=1; ", "; a=1", ";;", "a=__Host-Http-gatehouse", "\u{E9}=\u{FC}", "a==;b=\t",
        "__Host-Http-gateway=1", "__Host-jupyterhub-session-id=1",
    ])
    func `what is not ours goes through byte for byte`(value: String) {
        #expect(forwarded(value) == value)
    }

    @Test(arguments: [
        ("\(session)=x; a=1", "a=1"), ("a=1; \(session)=x", "a=1"),
        ("a=1; \(session)=x; b=2", "a=1; b=2"), ("a=1;\(session)=x;b=2", "a=1;b=2"),
        ("\(session)=x; \(session)=y; a=1", "a=1"), ("\(session)=x;; a=1", "a=1"),
        ("a=1; \(session)=x; \(session)-tx-1=y; \(session)-loop=2; b=2", "a=1; b=2"),
        ("a=\"1; \(session)=x; b=2\"", "a=\"1; b=2\""), ("a=1; \(session)", "a=1"),
        ("a=1; \(session)=x;", "a=1;"), ("  \(session)=x;\t a=1", "a=1"),
        ("\(session)2=x; a=1", "a=1"), ("a=1;   \(session) = x ; b=2", "a=1; b=2"),
        ("a=1; \"\(session)\"=x; b=2", "a=1; b=2"), ("a=1; __HOST-HTTP-GATEHOUSE=x", "a=1"),
        ("a=1; __host-Http-gateHouse-TX-1=x", "a=1"), ("a=1; =\(session)=x", "a=1"),
        ("a=1; \u{A0}\(session)=x; b", "a=1; b"), ("a=1; ' \(session)=x", "a=1; ' \(session)=x"),
    ])
    func `what is ours is cut out with its separator`(value: String, expected: String) {
        #expect(forwarded(value) == expected)
    }

    @Test(arguments: [
        "\(session)=x", "\(session)=x; \(session)-tx-1=y", "\(session)=x;", " \(session)=x; ", "",
        ";\(session)=x", "\(session)",
    ])
    func `nothing is written when nothing is left`(value: String) {
        #expect(forwarded(value) == nil)
    }

    @Test func `a line is whole or absent`() {
        var buffer = ByteBuffer()
        let none = CookieField.appendLine(to: &buffer, value: Array("\(session)=x".utf8).span)
        let some = CookieField.appendLine(to: &buffer, value: Array("\(session)=x; a=1".utf8).span)
        #expect(!none && some)
        #expect(buffer.readable.repairedText == "Cookie: a=1\r\n")
    }

    @Test func `other cookies can be cut as well`() {
        var buffer = ByteBuffer()
        let bytes = Array("a=1; b=2; ab=3; c=4".utf8)
        let isLeft = CookieField.append(to: &buffer, lead: "> ", value: bytes.span) {
            $0.startsLike("a")
        }
        #expect(isLeft)
        #expect(buffer.readable.repairedText == "> b=2; c=4")
    }
}

@Suite struct SetCookieTests {
    @Test(arguments: [
        ("a=b; Path=/", "a"), (" a = b", "a"), ("a", ""), ("=b", ""), ("", ""), ("a; b=c", ""),
        ("a==", "a"), ("__Host-a=1; Secure", "__Host-a"),
    ])
    func `the name is what stands before the first equals sign`(value: String, expected: String) {
        let bytes = Array(value.utf8)
        #expect(SetCookie.name(of: bytes.span).repairedText == expected)
    }

    @Test(arguments: [
        "\(session)=x", "\(session)-tx-1=x; Path=/", " \(session)=x", "__HOST-http-gatehouse=",
        "=\(session)=x", "\(session)", "\"\(session)\"=x", "==\(session)=x", "\(session)x=1",
    ])
    func `our names are reserved in every guise`(value: String) {
        let isReserved = SetCookie.isReserved(Array(value.utf8).span)
        #expect(isReserved)
    }

    @Test(arguments: ["a=\(session)=x", "gatehouse=1", "__Host-http=1", "_\(session)=x", "", "="])
    func `other names are free`(value: String) {
        let isReserved = SetCookie.isReserved(Array(value.utf8).span)
        #expect(!isReserved)
    }

    @Test func `our lines carry what the name's prefix asks for`() {
        #expect(
            SetCookie.line(session, "abc")
                == "\(session)=abc; Path=/; Secure; HttpOnly; SameSite=Lax")
        #expect(
            SetCookie.line(session, "abc", maxAge: 900)
                == "\(session)=abc; Max-Age=900; Path=/; Secure; HttpOnly; SameSite=Lax")
        #expect(
            SetCookie.removal(session)
                == "\(session)=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax")
    }

    @Test(arguments: [("a", ""), ("_xsrf", ""), ("__Host-a", "; Secure; HttpOnly")])
    func `an upstream's cookie is removed in few words, with what a prefix asks for`(
        name: String, more: String
    ) {
        #expect(
            SetCookie.removal(of: Array(name.utf8), path: Array("/x/".utf8))
                == "\(name)=; Max-Age=0; Path=/x/\(more)")
    }
}
