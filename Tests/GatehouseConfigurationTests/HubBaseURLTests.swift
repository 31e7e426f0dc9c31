import GatehouseBase
import Testing

@testable import GatehouseConfiguration

struct HubBaseURLTests {
    @Test(arguments: [
        ("/", "/", "/"), ("jupyter", "/jupyter/", "/jupyter/"),
        ("/jupyter", "/jupyter/", "/jupyter/"), ("/a/b/", "/a/b/", "/a/b/"),
        ("/my hub/", "/my hub/", "/my%20hub/"), ("/my%20hub", "/my hub/", "/my%20hub/"),
        ("/@/space%20word/", "/@/space word/", "/@/space%20word/"),
        ("/%40/x", "/@/x/", "/%40/x/"), ("/grüße/", "/grüße/", "/gr%C3%BC%C3%9Fe/"),
        ("/gr%c3%bc%C3%9fe", "/grüße/", "/gr%c3%bc%C3%9fe/"), ("/100%25/", "/100%/", "/100%25/"),
        ("/a%2520b/", "/a%20b/", "/a%2520b/"), ("/a+b/", "/a+b/", "/a%2Bb/"),
        ("/a%2A%3Fb/", "/a*?b/", "/a%2A%3Fb/"), ("/(a;b)/", "/(a;b)/", "/%28a%3Bb%29/"),
        ("/%20x/", "/ x/", "/%20x/"), ("/.x/", "/.x/", "/.x/"), ("/a-b_c.d~e/", nil, nil),
        ("/a,b:c=d&e!f'g/", nil, nil),
    ])
    func `a base URL is read plainly or escaped, and is asked for as the Hub spells it`(
        _ text: String, _ path: String?, _ spelling: String?
    ) throws {
        let url = try HubBaseURL(parsing: text)
        #expect(sameBytes(url.path, path ?? text))
        #expect(sameBytes(url.description, spelling ?? text))
        #expect(try HubBaseURL(parsing: url.description) == url)
    }

    @Test(arguments: [
        ("//", "no '//'"), ("/a//b/", "no '//'"), ("/a/b//", "no '//'"),
        ("/./", "no request has one either"), ("/a/%2E%2e/", "no request has one either"),
        ("/a%2Fb/", "give the Hub another base URL"), ("/a%5cb/", "give the Hub another base URL"),
        ("/a\\b/", "write '/'"), ("/a%00/", "remove it"), ("/a%7F/", "remove it"),
        ("/a\tb/", "remove it"), ("/100%/", "write '%25' for the character itself"),
        ("/a%zz/", "write '%25' for the character itself"), ("/%FC/", "such as '%C3%BC' for 'ü'"),
        ("/a?b/", "leave out '?' and what follows"), ("/a/#b", "leave out '#' and what follows"),
        ("/jupyter/*/", "such as '/jupyter/'"), ("/**", "such as '/jupyter/'"),
        ("/ a/", "remove it, or write '%20'"), ("/a /b/", "remove it, or write '%20'"),
        ("/jupyter/ ", "remove it, or write '%20'"),
        ("/.gatehouse/", "give the Hub another base URL"),
        ("/%2egatehouse/x/", "give the Hub another base URL"),
        ("http://127.0.0.1:8000/jupyter/", "write '/jupyter/'"),
        ("http://127.0.0.1:8000", "write '/'"), ("http://127.0.0.1/a b/", "such as '/jupyter/'"),
    ])
    func `what can be none is refused with a remedy`(_ text: String, _ hint: String) {
        let error = #expect(throws: HubBaseURL.ParseError.self) { try HubBaseURL(parsing: text) }
        #expect(error?.hint == hint)
    }

    /// What is read of a Hub at this base URL, in the configuration and off its error target.
    @Test(arguments: [
        "/my hub/", "/my%20hub/", "/gr%C3%BC%C3%9Fe/", "/@/a+b/", "/a/b/", "/100%25/", "/",
    ])
    func `the error target and the configuration are read by one rule`(_ text: String) throws {
        let flag = try CommandLineFixture.configuration(
            "--error-target", "http://127.0.0.1:8081\(text)hub/error")
        let yaml = try CommandLineFixture.configuration(
            yaml: "jupyterhub: {base_url: \"\(text)\"}")
        #expect(flag.jupyterHub == yaml.jupyterHub)
        #expect(flag.origin(of: "jupyterhub.base_url") == .flag("--error-target"))
        let both = try CommandLineFixture.start(
            ["--error-target", "http://127.0.0.1:8081\(text)hub/error"],
            yaml: "jupyterhub: {base_url: \"\(text)\"}")
        #expect(both.lines.isEmpty, "\(both.lines)")
    }
}
