import Testing

@testable import GatehouseConfiguration

struct CHPWordsTests {
    private func read(_ words: String...) throws -> CHPWords {
        guard case .values(let values) = CHPWords.read(words) else {
            throw CommandLineFixture.Unexpected(text: "\(CHPWords.read(words))")
        }
        return values
    }

    private func failure(_ words: [String]) -> String? {
        guard case .failure(let text) = CHPWords.read(words) else { return nil }
        return text
    }

    @Test func `a value is the next word or stands behind an equals sign`() throws {
        #expect(try read("--port", "9000").text("--port") == "9000")
        #expect(try read("--port=9000").text("--port") == "9000")
        #expect(
            try read("--default-target=http://h/?a=b").text("--default-target") == "http://h/?a=b")
        #expect(try read("--port", "--ip").value("--port") == "--ip")
        #expect(try read("--port", "--ip").has("--ip") == false)
        #expect(try read("--port", "--", "--insecure").value("--port") == "--")
    }

    @Test func `an empty value is a value that turns the flag off`() throws {
        let words = try read("--ip=", "--default-target", "")
        #expect(words.has("--ip") && words.value("--ip") == "" && words.text("--ip") == nil)
        #expect(words.has("--default-target") && words.text("--default-target") == nil)
        #expect(!words.has("--port") && words.value("--port") == nil)
    }

    @Test func `the last of several wins, and custom headers add up`() throws {
        let words = try read(
            "--port", "1", "--custom-header", "a:1", "--port=2", "--custom-header= b : 2 ")
        #expect(words.text("--port") == "2")
        #expect(words.customHeaders == ["a:1", "b : 2"])
    }

    @Test func `version and help end the reading where commander ends it`() {
        for words in [["-V"], ["--version"], ["-Vh"], ["--nonsense", "-V"], ["x", "--version"]] {
            guard case .version = CHPWords.read(words) else {
                Issue.record("\(words)")
                continue
            }
        }
        for words in [["-h"], ["--help"], ["--nonsense", "--help"], ["x", "-h"], ["--", "x"]] {
            let isHelp = if case .help = CHPWords.read(words) { true } else { false }
            #expect(isHelp == (words != ["--", "x"]), "\(words)")
        }
        #expect(failure(["--version=3"]) != nil)
        #expect(failure(["--help=3"]) != nil)
    }

    /// Each as configurable-http-proxy 5.3 with commander 15 prints it.
    @Test(arguments: [
        (["--prot", "3"], "error: unknown option '--prot'\n(Did you mean --port?)"),
        (["--no-such"], "error: unknown option '--no-such'"),
        (["foo"], "error: too many arguments. Expected 0 arguments but got 1: foo."),
        (["foo", "bar"], "error: too many arguments. Expected 0 arguments but got 2: foo, bar."),
        ([""], "error: too many arguments. Expected 0 arguments but got 1: ."),
        (["-5"], "error: too many arguments. Expected 0 arguments but got 1: -5."),
        (["--", "--foo"], "error: too many arguments. Expected 0 arguments but got 1: --foo."),
        (["foo", "--bar", "baz"], "error: unknown option '--bar'"),
        (["--port"], "error: option '--port <n> (defaults to 8000)' argument missing"),
        (["--timeout"], "error: option '--timeout <n>' argument missing"),
        (["--custom-header"], "error: option '--custom-header <header>' argument missing"),
        (
            ["--insecure=1"],
            "error: unknown option '--insecure=1'\n(Did you mean --insecure?)"
        ),
        (["--no-insecure"], "error: unknown option '--no-insecure'\n(Did you mean --insecure?)"),
        (
            ["--no-x-forward=1"],
            "error: unknown option '--no-x-forward=1'\n(Did you mean --no-x-forward?)"
        ),
        (["--x-forward"], "error: unknown option '--x-forward'\n(Did you mean --no-x-forward?)"),
        (["-x"], "error: unknown option '-x'"),
        (["-p", "3"], "error: unknown option '-p'"),
        (
            ["--log-levell", "x"],
            "error: unknown option '--log-levell'\n(Did you mean --log-level?)"
        ),
        (
            ["--proxy-tiemout", "3"],
            "error: unknown option '--proxy-tiemout'\n(Did you mean --proxy-timeout?)"
        ),
        (
            ["--socket", "/x", "--port", "1"],
            "error: option '--socket <path>' cannot be used with option "
                + "'--port <n> (defaults to 8000)'"
        ),
        (
            ["--port", "1", "--ip", "", "--socket", ""],
            "error: option '--socket <path>' cannot be used with option '--ip <ip-address>'"
        ),
        (["--custom-header", " foo "], "A colon was expected in custom header: foo"),
        (["--custom-header", ":x"], "A colon was expected in custom header: :x"),
    ])
    func `an error has commander's words`(_ words: [String], _ text: String) {
        #expect(failure(words) == text + "\n")
    }

    @Test(arguments: [
        ("8000", 8000), (" 12abc", 12), ("-5", -5), ("+7", 7), ("0x1F", 31), ("0", 0),
        ("1.9", 1), ("99999999999999999999", Int.max),
    ])
    func `a number is read as parseInt reads it`(_ text: String, _ number: Int) {
        #expect(CHPWords.integer(text) == number)
    }

    @Test(arguments: ["", "x1", " ", "-", "0x", "٣"])
    func `what is no number is none`(_ text: String) {
        #expect(CHPWords.integer(text) == nil)
    }
}
