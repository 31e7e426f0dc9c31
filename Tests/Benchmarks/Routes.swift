import FoundationEssentials
import GatehouseBase
import GatehouseProxy

/// Looking routes up, and their coming and going, in tables of several sizes.
enum Routes {
    final class Route {}

    static func run(_ measure: (String, Int, () -> Void) throws -> Void) throws {
        for count in [10, 10_000, 100_000] {
            let prefixes = (0..<count).map { "/user/student-\($0)" }
            let paths = prefixes.map { Array(($0 + "/api/kernels").utf8) }
            // As jumbled as requests are, so that caches help no more than they would.
            let order = (0..<count).shuffled()
            let route = Route()
            let before = try resident()
            var table = RouteTable<Route>()
            let clock = ContinuousClock()
            var slowest = Duration.zero
            let whole = clock.measure {
                for prefix in prefixes {
                    let time = clock.measure { _ = table.set(route, host: nil, prefix: prefix) }
                    slowest = max(slowest, time)
                }
            }
            table.set(route, host: nil, prefix: "/")
            let after = try resident()
            print(
                "\(count) routes: \((after - before) / count) resident bytes each,"
                    + " set one by one in \(whole), the slowest in \(slowest)")
            var place = 0
            let next = {
                place += 1
                if place == count { place = 0 }
                return order[place]
            }
            try measure("look-up, \(count) routes", paths[0].count) {
                let path = paths[next()]
                _ = table.match(host: Span(), path: path.span, .plain)
            }
            let miss = Array("/hub/api/users/student".utf8)
            try measure("look-up of /hub, \(count) routes", miss.count) {
                _ = table.match(host: Span(), path: miss.span, .plain)
            }
            try measure("remove and set, \(count) routes", prefixes[0].utf8.count) {
                let prefix = prefixes[next()]
                table.remove(host: nil, prefix: prefix)
                table.set(route, host: nil, prefix: prefix)
            }
        }
    }

    /// Bytes of memory that the process has in use, prefix and reference of each route among them.
    private static func resident() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
            .split(separator: " ")
        return (Int(pages[1]) ?? 0) * 4096
    }
}
