import GatehouseBase
import Testing

@testable import GatehouseProxy

struct RouteTableTests {
    private func match(_ table: RouteTable, host: String, _ path: String) -> RouteMatch {
        let path = Array(path.utf8)
        return table.match(
            host: Array(host.utf8).span, path: path.span, PathReading.check(path.span))
    }

    private var table: RouteTable {
        var table = RouteTable()
        table.set(0, host: nil, prefix: "/")
        table.set(1, host: nil, prefix: "/user/alice")
        table.set(2, host: nil, prefix: "/user/alice/lab")
        table.set(3, host: "grafana.example.org", prefix: "/")
        return table
    }

    @Test func `the longest prefix of whole segments wins`() {
        #expect(match(table, host: "hub", "/") == .route(0))
        #expect(match(table, host: "hub", "/user/alice") == .route(1))
        #expect(match(table, host: "hub", "/user/alice/") == .route(1))
        #expect(match(table, host: "hub", "/user/alice/lab/tree") == .route(2))
        #expect(match(table, host: "hub", "/user/alicex") == .route(0))
    }

    @Test func `a route of the host comes before one of any host, whatever the port and case`() {
        #expect(match(table, host: "grafana.example.org", "/user/alice") == .route(3))
        #expect(match(table, host: "GRAFANA.example.org:8443", "/x") == .route(3))
        #expect(match(table, host: "grafana.example.org.", "/x") == .route(3))
        #expect(match(table, host: "other.example.org", "/x") == .route(0))
    }

    @Test func `a path that backends may read differently has no route`() {
        #expect(match(table, host: "hub", "/user/alice%2Flab") == .disagreeing)
        #expect(match(table, host: "hub", "/user/%61lice/x") == .route(1))
        #expect(match(table, host: "hub", "/user/bob%2f..%2falice") == .disagreeing)
    }

    @Test func `without a route nothing is found`() {
        var table = RouteTable()
        table.set(0, host: nil, prefix: "/only")
        #expect(match(table, host: "hub", "/other") == .none)
    }
}
