import GatehouseBase
import Testing

@testable import GatehouseProxy

struct RouteTableTests {
    private func match(
        _ table: RouteTable<Int>, host: String, _ path: String
    ) -> RouteMatch<Int> {
        let path = Array(path.utf8)
        return table.match(
            host: Array(host.utf8).span, path: path.span, PathReading.check(path.span))
    }

    private func table(_ readings: RoutingReadings = .mustAgree) -> RouteTable<Int> {
        var table = RouteTable<Int>(readings: readings)
        table.set(0, host: nil, prefix: "/")
        table.set(1, host: nil, prefix: "/user/alice")
        table.set(2, host: nil, prefix: "/user/alice/lab")
        table.set(3, host: "grafana.example.org", prefix: "/")
        return table
    }

    @Test func `the longest prefix of whole segments wins`() {
        #expect(match(table(), host: "hub", "/") == .route(0))
        #expect(match(table(), host: "hub", "/user") == .route(0))
        #expect(match(table(), host: "hub", "/user/alice") == .route(1))
        #expect(match(table(), host: "hub", "/user/alice/") == .route(1))
        #expect(match(table(), host: "hub", "/user/alice/lab/tree") == .route(2))
        #expect(match(table(), host: "hub", "/user/alicex") == .route(0))
        #expect(match(table(), host: "hub", "/user/alic") == .route(0))
        #expect(match(table(), host: "hub", "/user/Alice") == .route(0))
    }

    @Test func `a route of the host comes before one of any host, whatever the port and case`() {
        #expect(match(table(), host: "grafana.example.org", "/user/alice") == .route(3))
        #expect(match(table(), host: "GRAFANA.example.org:8443", "/x") == .route(3))
        #expect(match(table(), host: "grafana.example.org.", "/x") == .route(3))
        #expect(match(table(), host: "other.example.org", "/x") == .route(0))
        #expect(match(table(), host: "", "/x") == .route(0))
    }

    @Test func `an IPv6 address keeps its brackets and loses its port`() {
        var table = table()
        table.set(4, host: "[::1]", prefix: "/")
        #expect(match(table, host: "[::1]:8443", "/x") == .route(4))
        #expect(match(table, host: "[::2]:8443", "/x") == .route(0))
    }

    @Test func `a host has its routes in whatever way it was written`() {
        var table = table()
        table.set(4, host: "Wiki.Example.ORG:8443", prefix: "/a")
        #expect(match(table, host: "wiki.example.org", "/a") == .route(4))
        let isRemoved = table.remove(host: "wiki.example.org.", prefix: "/a")
        #expect(isRemoved)
        #expect(match(table, host: "wiki.example.org", "/a") == .route(0))
    }

    @Test func `a host that no request can have gets no route, and takes none of another key`() {
        var table = table()
        table.set(4, host: "wiki", prefix: "/a/b")
        let changes = [
            table.set(5, host: "wiki/a", prefix: "/b"), table.set(5, host: "", prefix: "/"),
            table.set(5, host: ".", prefix: "/"), table.remove(host: "wiki/a", prefix: "/b"),
            table.remove(host: "", prefix: "/"),
        ]
        #expect(changes == [false, false, false, false, false])
        #expect(table.count == 5)
        #expect(match(table, host: "wiki/a", "/b") == .route(0))
        #expect(match(table, host: "wiki", "/a/b") == .route(4))
    }

    @Test func `a path that backends may read differently has no route`() {
        #expect(match(table(), host: "hub", "/user/alice%2Flab") == .disagreeing)
        #expect(match(table(), host: "hub", "/user/%61lice/x") == .route(1))
        #expect(match(table(), host: "hub", "/user/bob%2f..%2falice") == .disagreeing)
        #expect(match(table(), host: "hub", "/user//alice") == .disagreeing)
        #expect(match(table(), host: "hub", "/user/alice;x") == .disagreeing)
        #expect(match(table(), host: "hub", "/user/bob;x") == .route(0))
        #expect(match(table(), host: "hub", "/user/alice//lab") == .disagreeing)
    }

    @Test func `where one reading is enough, an encoded slash is one and empty segments count`() {
        var table = table(.first)
        #expect(match(table, host: "hub", "/user/alice%2Flab") == .route(2))
        #expect(match(table, host: "hub", "/user/%61lice/x") == .route(1))
        #expect(match(table, host: "hub", "/user/alice//lab") == .route(1))
        #expect(match(table, host: "hub", "/user//alice") == .route(0))
        #expect(match(table, host: "hub", "//user/alice/") == .route(1))
        #expect(match(table, host: "hub", "/user/alice//") == .route(1))
        #expect(match(table, host: "hub", "/user\\alice") == .route(1))
        #expect(match(table, host: "hub", "/user/alice;x") == .route(0))
        #expect(match(table, host: "hub", "/user/%2561lice") == .route(0))
        table.set(4, host: nil, prefix: "/foo//bar")
        #expect(match(table, host: "hub", "/foo//bar/x") == .route(4))
        #expect(match(table, host: "hub", "/foo/%2Fbar") == .route(4))
        #expect(match(table, host: "hub", "/foo/bar") == .route(0))
        #expect(match(table, host: "hub", "/foo///bar") == .route(0))
    }

    @Test(arguments: [RoutingReadings.mustAgree, .first])
    func `a prefix is decoded text, a path is not`(readings: RoutingReadings) {
        var table = table(readings)
        table.set(4, host: nil, prefix: "/user/é")
        table.set(5, host: nil, prefix: "/b@r")
        table.set(6, host: nil, prefix: "/has space")
        table.set(7, host: nil, prefix: "/%41")
        #expect(match(table, host: "hub", "/user/%C3%A9/x") == .route(4))
        #expect(match(table, host: "hub", "/user/e%CC%81") == .route(0))
        #expect(match(table, host: "hub", "/b%40r") == .route(5))
        #expect(match(table, host: "hub", "/b@r/") == .route(5))
        #expect(match(table, host: "hub", "/has%20space") == .route(6))
        #expect(match(table, host: "hub", "/has+space") == .route(0))
        #expect(match(table, host: "hub", "/A") == .route(0))
    }

    @Test func `a name with a backslash is not two segments`() {
        var table = table(.first)
        table.set(4, host: nil, prefix: "/user/DOMAIN\\joe")
        table.set(5, host: nil, prefix: "/user/DOMAIN/joe")
        #expect(match(table, host: "hub", "/user/DOMAIN%5Cjoe/lab") == .route(4))
        #expect(match(table, host: "hub", "/user/DOMAIN/joe/lab") == .route(5))
    }

    @Test(arguments: ["constructor", "toString", "hasOwnProperty", "valueOf", "__proto__"])
    func `names that JavaScript objects have are ordinary`(name: String) {
        var table = table()
        #expect(match(table, host: "hub", "/user/\(name)") == .route(0))
        #expect(match(table, host: "hub", "/user/alice/\(name)") == .route(1))
        table.set(4, host: nil, prefix: "/user/\(name)")
        #expect(match(table, host: "hub", "/user/\(name)/x") == .route(4))
    }

    @Test func `a later route of the same host and prefix replaces the one before`() {
        var table = table()
        table.set(4, host: nil, prefix: "/user/alice/")
        table.set(5, host: "grafana.example.org", prefix: "")
        #expect(table.count == 4)
        #expect(match(table, host: "hub", "/user/alice") == .route(4))
        #expect(match(table, host: "grafana.example.org", "/") == .route(5))
    }

    @Test func `a removed route leaves the shorter and the longer ones`() {
        var table = table()
        let removals = [
            table.remove(host: nil, prefix: "/user/alice"),
            table.remove(host: nil, prefix: "/user/alice"),
            table.remove(host: nil, prefix: "/user"), table.remove(host: "hub", prefix: "/"),
        ]
        #expect(removals == [true, false, false, false])
        #expect(table.count == 3)
        #expect(match(table, host: "hub", "/user/alice") == .route(0))
        #expect(match(table, host: "hub", "/user/alice/lab") == .route(2))
        table.remove(host: "grafana.example.org", prefix: "/")
        #expect(match(table, host: "grafana.example.org", "/user/alice/lab") == .route(2))
        table.remove(host: nil, prefix: "/")
        #expect(match(table, host: "hub", "/x") == .none)
    }

    @Test func `without a route nothing is found`() {
        var table = RouteTable<Int>()
        #expect(match(table, host: "hub", "/other") == .none)
        table.set(0, host: nil, prefix: "/only")
        #expect(match(table, host: "hub", "/other") == .none)
        #expect(match(table, host: "hub", "/%6fther") == .none)
        #expect(match(table, host: "hub", "/only/../only") == .none)
    }
}
