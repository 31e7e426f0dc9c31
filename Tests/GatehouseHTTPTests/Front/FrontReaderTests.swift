import GatehouseBase
import Testing

@testable import GatehouseHTTP

/// What a trusted front says of a request, and what is none of its words.
struct FrontReaderTests {
    private func reader(
        _ profile: FrontReader.Profile, unix: Bool = false, urls: [String] = []
    ) throws -> FrontReader {
        let trusted = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]
        return FrontReader(
            profile, trusted: try trusted.map { try Network(parsing: $0) }, trustsUnixSocket: unix,
            publicURLs: try urls.map { try Origin(parsing: $0) })
    }

    /// What is read of a request with these lines.
    private func read(
        _ profile: FrontReader.Profile, _ lines: [String], host: String? = "hub.example",
        urls: [String] = []
    ) throws -> ClientOrigin {
        let lines = (host.map { ["Host: \($0)"] } ?? []) + lines
        let text = "GET / HTTP/1.\(host == nil ? 0 : 1)\r\n" + lines.map { $0 + "\r\n" }.joined()
        return try reader(profile, urls: urls).origin(of: parseRequest(text + "\r\n"))
    }

    private func address(
        _ profile: FrontReader.Profile, _ lines: String...
    ) throws -> String? {
        try read(profile, lines).address?.description
    }

    /// The rule that a request with these lines breaks.
    private func fault(
        _ profile: FrontReader.Profile, _ lines: [String], host: String = "hub.example"
    ) -> MessageError.Rule? {
        do {
            _ = try read(profile, lines, host: host)
            return nil
        } catch { return (error as? MessageError)?.rule }
    }

    // MARK: Peers

    @Test func `who is trusted is told by the peer alone`() throws {
        let (nobody, front) = (
            FrontReader(.nginx, trusted: []), try reader(.nginx, unix: true)
        )
        for text in ["127.0.0.1", "10.255.0.1", "fd12::1", "::ffff:10.0.0.1"] {
            #expect(front.trusts(IPAddress(parsing: text)))
            #expect(!nobody.trusts(IPAddress(parsing: text)))
        }
        for text in ["127.0.0.2", "11.0.0.1", "fe80::1", "::1", "::ffff:11.0.0.1", "::a00:1"] {
            #expect(!front.trusts(IPAddress(parsing: text)), "\(text)")
        }
        #expect(front.trusts(nil) && !nobody.trusts(nil))
        #expect(try !reader(.nginx).trusts(nil))
    }

    // MARK: nginx

    @Test(arguments: [
        ("203.0.113.7", "203.0.113.7"), ("2001:DB8:0::7", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"), ("203.0.113.7:51234", "203.0.113.7"),
        ("[2001:db8::7]:443", "2001:db8::7"), ("[2001:db8::7]", "2001:db8::7"),
        ("6.6.6.6, 203.0.113.7", "203.0.113.7"), ("6.6.6.6,\t203.0.113.7 ", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7, 10.0.0.2, fd00::1, ::ffff:10.9.9.9", "203.0.113.7"),
        ("10.0.0.5", "10.0.0.5"), ("10.0.0.5, 10.0.0.6", "10.0.0.5"),
        ("junk, 203.0.113.7", "203.0.113.7"), ("\"x, y, 203.0.113.7", "203.0.113.7"),
        ("for=1.2.3.4, 203.0.113.7", "203.0.113.7"), (", , 203.0.113.7,,", "203.0.113.7"),
        ("junk, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
    ])
    func `nginx's client is the first from the right that is no trusted hop`(
        value: String, client: String
    ) throws {
        #expect(try address(.nginx, "X-Forwarded-For: \(value)") == client)
    }

    @Test func `several lines are one list in their order`() throws {
        #expect(
            try address(.nginx, "X-Forwarded-For: 6.6.6.6", "x-forwarded-for: 203.0.113.7")
                == "203.0.113.7")
        #expect(
            try address(
                .nginx, "X-FORWARDED-FOR: 6.6.6.6, 203.0.113.7", "X-Forwarded-For: 10.0.0.2")
                == "203.0.113.7")
    }

    @Test(arguments: [
        "", ",", " , ,", "junk", "203.0.113.7.", "203.0.113.256", "203.0.113.07", "6.6.6.6, junk",
        "6.6.6.6, unknown", "unknown", "unix:", "localhost", "203.0.113.7:", "203.0.113.7:65536",
        "203.0.113.7:1x", "203.0.113.7:123456", "[2001:db8::7", "2001:db8::7]", "[203.0.113.7]",
        "[2001:db8::7]443", "[2001:db8::7]:", "[]", "[]:1", "::1%eth0", "fe80::1%25eth0",
        "6.6.6.6 203.0.113.7", "6.6.6.6;203.0.113.7", "\"203.0.113.7\"", "for=203.0.113.7",
        "junk, 10.0.0.2", "6.6.6.6, junk, 10.0.0.2", "203.0.113.7\t6.6.6.6", "0xcb.0.113.7",
        "3405803783", "203.0.113.7/32", "1:2:3:4:5:6:7:8:9",
    ])
    func `a malformed hop that counts is an error and no reason to look elsewhere`(value: String) {
        let lines = [
            "X-Forwarded-For: \(value)", "X-Real-IP: 6.6.6.6", "CF-Connecting-IP: 6.6.6.6",
        ]
        #expect(fault(.nginx, lines) == .xForwardedFor)
    }

    @Test func `nothing but X-Forwarded-For is nginx's address`() throws {
        let others = [
            "X-Real-IP: 6.6.6.6", "CF-Connecting-IP: 6.6.6.6", "True-Client-IP: 6.6.6.6",
            "Forwarded: for=6.6.6.6;proto=https", "X_Forwarded_For: 6.6.6.6",
            "X-Client-IP: 6.6.6.6",
            "X.Forwarded.For: 6.6.6.6", "X-Forwarded-Scheme: https", "X-Forwarded-Ssl: on",
            "CF-Visitor: {\"scheme\":\"https\"}", "X-Forwarded-Port: 443",
        ]
        #expect(try read(.nginx, others) == ClientOrigin())
        #expect(try address(.nginx, "X-Forwarded-For: 203.0.113.7") == "203.0.113.7")
    }

    // MARK: Scheme

    @Test(arguments: [
        (["X-Forwarded-Proto: https"], true), (["X-Scheme: https"], true),
        (["X-Forwarded-Proto: HTTPS"], true), (["X-Forwarded-Proto: http"], false),
        (["X-Scheme: http"], false), (["X-Forwarded-Proto: wss"], true),
        (["X-Forwarded-Proto: ws"], false),
        (["x-forwarded-proto: https", "x-scheme: https"], true),
        (["X-Forwarded-Proto: https, https"], true), (["X-Forwarded-Proto: http,ws"], false),
        (["X-Forwarded-Proto: https", "X-Forwarded-Proto: https"], true),
    ])
    func `nginx says the scheme with one value`(lines: [String], isHTTPS: Bool) throws {
        #expect(try read(.nginx, lines).isHTTPS == isHTTPS)
    }

    @Test(arguments: [
        ["X-Forwarded-Proto: https,http"], ["X-Forwarded-Proto: http, https"],
        ["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"],
        ["X-Forwarded-Proto: https", "X-Scheme: http"], ["X-Scheme: https", "X-Scheme: http"],
        ["X-Forwarded-Proto: http", "X-Scheme: https"],
    ])
    func `two schemes that differ are refused`(lines: [String]) {
        #expect(fault(.nginx, lines) == .schemesDiffer)
    }

    @Test(arguments: ["", ",", "on", "httpss", "https;q=1", "https http", "\"https\"", "ftp", "1"])
    func `a scheme that is none is refused`(value: String) {
        for profile in [FrontReader.Profile.nginx, .cloudflareTunnel] {
            #expect(fault(profile, ["X-Forwarded-Proto: \(value)"]) == .xForwardedProto)
        }
        #expect(fault(.nginx, ["X-Scheme: \(value)"]) == .xScheme)
        #expect(
            fault(.nginx, ["X-Forwarded-Proto: https", "X-Scheme: \(value)"]) == .xScheme)
    }

    // MARK: Cloudflare

    @Test(arguments: [
        ("CF-Connecting-IP: 203.0.113.7", "203.0.113.7"),
        ("Cf-Connecting-Ip: 2001:db8::7", "2001:db8::7"),
        ("cf-connecting-ip: ::ffff:203.0.113.7", "203.0.113.7"),
        ("CF-Connecting-IP: 10.0.0.5", "10.0.0.5"),
    ])
    func `Cloudflare's client is CF-Connecting-IP, however it is spelled`(
        line: String, client: String
    ) throws {
        let others = [
            "X-Forwarded-For: 6.6.6.6, junk", "X-Real-IP: 6.6.6.6", "True-Client-IP: 6.6.6.6",
            "X-Scheme: http", "Cf-Visitor: {\"scheme\":\"http\"}", "Forwarded: for=6.6.6.6",
        ]
        let origin = try read(.cloudflareTunnel, others + [line, "X-Forwarded-Proto: https"])
        #expect(origin.address?.description == client)
        #expect(origin.isHTTPS == true && origin.host == nil)
        let checks = try read(.cloudflareTunnel, others)
        #expect(checks == ClientOrigin())
    }

    @Test(arguments: [
        ["CF-Connecting-IP: "], ["CF-Connecting-IP: 203.0.113.7, 203.0.113.7"],
        ["CF-Connecting-IP: 203.0.113.7:1"], ["CF-Connecting-IP: [2001:db8::7]"],
        ["CF-Connecting-IP: 203.0.113.7", "Cf-Connecting-Ip: 203.0.113.7"],
        ["CF-Connecting-IP: junk", "X-Forwarded-For: 203.0.113.7"], ["CF-Connecting-IP: unknown"],
    ])
    func `CF-Connecting-IP is one line with one address`(lines: [String]) {
        #expect(fault(.cloudflareTunnel, lines) == .cfConnectingIP)
    }

    // MARK: Host

    @Test func `a Host that the front rewrote is put back, one of ours is not touched`() throws {
        let urls = ["https://hub.example", "https://grafana.example:8443"]
        let line = "X-Forwarded-Host: hub.example"
        for profile in [FrontReader.Profile.nginx, .cloudflareTunnel] {
            for host in ["localhost:8443", "hub.example:8080", "x.hub.example", "grafana.example"] {
                let origin = try read(profile, [line], host: host, urls: urls)
                #expect(origin.host == Array("hub.example".utf8))
            }
            let ours = ["hub.example", "HUB.example.", "hub.example:443", "grafana.example:8443"]
            for host in ours {
                for line in ["evil.example", "grafana.example:8443", "a, b", "", "junk junk"] {
                    let origin = try read(
                        profile, ["X-Forwarded-Host: \(line)"], host: host, urls: urls)
                    #expect(origin.host == nil)
                }
            }
            #expect(try read(profile, [line], host: nil).host == Array("hub.example".utf8))
            #expect(try read(profile, [line]).host == nil)
            let twice = [line, "X-Forwarded-Host: Hub.Example, hub.example"]
            #expect(try read(profile, twice, host: "in").host == Array("hub.example".utf8))
        }
    }

    @Test(arguments: [
        "", ",", "a, b", "a b", "a/b", "a@b", "a:65536", "a:b", "a%41", "[::1", "http://a", "a\tb",
    ])
    func `a host that is none is refused`(value: String) {
        for profile in [FrontReader.Profile.nginx, .cloudflareTunnel] {
            let lines = ["X-Forwarded-Host: \(value)"]
            #expect(fault(profile, lines, host: "in") == .xForwardedHost)
        }
    }

    @Test func `what is put back is the Host for everybody`() throws {
        var head = try parseRequest("GET /a?b HTTP/1.1\r\nhost: in\r\nX-A: 1\r\n\r\n")
        head.setHost(Array("hub.example:8443".utf8))
        #expect(lines(head.fields) == ["host: hub.example:8443", "X-A: 1"])
        #expect(head.fields.text(.host) == "hub.example:8443")
        #expect(head.target().text == "/a?b")
        var old = try parseRequest("GET / HTTP/1.0\r\nX-A: 1\r\n\r\n")
        old.setHost(Array("hub.example".utf8))
        #expect(lines(old.fields) == ["X-A: 1", "Host: hub.example"])
    }
}
