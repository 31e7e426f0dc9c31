import GatehouseBase
import Testing

@testable import GatehouseConfiguration

struct BaseURLTests {
    @Test(arguments: [
        ("https://sso.example.org", "https://sso.example.org", ""),
        ("https://sso.example.org/", "https://sso.example.org", "/"),
        ("https://sso.example.org/realms/r", "https://sso.example.org", "/realms/r"),
        ("http://localhost:8080/realms/r%20s", "http://localhost:8080", "/realms/r%20s"),
    ])
    func `a base URL is an origin and a path`(
        _ text: String, _ origin: String, _ path: String
    ) throws {
        let url = try BaseURL(parsing: text)
        #expect(url.origin.description == origin)
        #expect(url.path == path)
    }

    @Test(arguments: [
        "", "sso.example.org/realms/r", "ftp://sso/", "https://", "https:///realms",
        "https://a@sso/realms", "https://sso/realms?x", "https://sso/realms#x", "https://sso?x",
        "https://sso/a b", "https://sso/a\\b", "https://sso/grüße", "https://sso:0/",
    ])
    func `what is no base URL is refused`(_ text: String) {
        #expect(throws: BaseURL.ParseError.self) { try BaseURL(parsing: text) }
    }
}
