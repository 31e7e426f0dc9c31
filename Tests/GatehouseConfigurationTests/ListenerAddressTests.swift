import GatehouseConfiguration
import Testing

struct ListenerAddressTests {
    @Test(arguments: [
        ("127.0.0.1:8443", ListenerAddress.tcp(host: "127.0.0.1", port: 8443)),
        ("[::]:8443", .tcp(host: "::", port: 8443)),
        ("localhost:0", .tcp(host: "localhost", port: 0)),
        ("[::1]:80", .tcp(host: "::1", port: 80)), ("unix:/run/a.sock", .unix(path: "/run/a.sock")),
        ("unix:public.sock", .unix(path: "public.sock")),
    ])
    func `an address reads back as it was written`(
        _ text: String, _ address: ListenerAddress
    ) throws {
        #expect(try ListenerAddress(parsing: text) == address)
        #expect(address.description == text)
    }

    @Test(arguments: [
        ("", "write ':8443'"), ("127.0.0.1", "write '127.0.0.1:8443'"),
        (":80", "write '[::]:80' for all of them"), ("*:80", "write '[::]:80' for all of them"),
        ("::1:80", "write '[::1]:80'"), ("[::1]", "such as '[::]:8443'"),
        ("host:+1", "such as '[::]:8443'"), ("host:65536", "such as '[::]:8443'"),
        ("host:", "such as '[::]:8443'"), ("a b:80", "such as '[::]:8443'"),
        ("unix:", "such as 'unix:/run/gatehouse/public.sock'"),
    ])
    func `what is no address comes with a remedy`(_ text: String, _ hint: String) {
        let error = #expect(throws: ListenerAddress.ParseError.self) {
            try ListenerAddress(parsing: text)
        }
        #expect(error?.hint == hint)
    }
}
