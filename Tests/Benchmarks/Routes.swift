import FoundationEssentials
import GatehouseBase
import GatehouseProxy

/// Looking routes up, and their coming and going, in tables of several sizes.
enum Routes {
    final class Route {}

    static func run(_ measure: (String, Int, () -> Void) throws -> Void) throws {
        for count in [10, 10_000, 100_000] {
            let prefixes = (0..<count).map { "/user/student-\($0)" }.shuffled()
            // Paths one after the other, the routes of which lie anywhere: that costs what it
            // costs with requests, and the paths themselves are at hand, as they are there.
            var paths: [UInt8] = []
            var ends = [0]
            for prefix in prefixes.shuffled() {
                paths += (prefix + "/api/kernels").utf8
                ends.append(paths.count)
            }
            let route = Route()
            let before = try resident()
            var table = RouteTable<Route>()
            for prefix in prefixes { table.set(route, host: nil, prefix: prefix) }
            table.set(route, host: nil, prefix: "/")
            let bytes = (try resident() - before) / count
            print("\(count) routes: \(bytes) resident bytes each, growing \(growth(prefixes))")
            var place = 0
            try measure("look-up, \(count) routes", paths.count / count) {
                let path = paths.span.extracting(ends[place]..<ends[place + 1])
                _ = table.match(host: Span(), path: path, .plain)
                place = place + 1 == count ? 0 : place + 1
            }
            let hub = Array("/hub/api/users/student".utf8)
            try measure("look-up of the hub, \(count) routes", hub.count) {
                _ = table.match(host: Span(), path: hub.span, .plain)
            }
            place = 0
            try measure("remove and set, \(count) routes", prefixes[0].utf8.count) {
                table.remove(host: nil, prefix: prefixes[place])
                table.set(route, host: nil, prefix: prefixes[place])
                place = place + 1 == count ? 0 : place + 1
            }
        }
    }

    /// What the one route costs that makes the table grow: the slowest of all, the best of ten rounds.
    private static func growth(_ prefixes: [String]) -> Duration {
        let clock = ContinuousClock()
        let route = Route()
        let rounds = (0..<10).map { _ in
            var table = RouteTable<Route>()
            return prefixes.map { prefix in
                clock.measure { _ = table.set(route, host: nil, prefix: prefix) }
            }.max() ?? .zero
        }
        return rounds.min() ?? .zero
    }

    /// Bytes of memory that the process has in use: prefix and reference of each route are among
    /// them.
    private static func resident() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
            .split(separator: " ")
        return (Int(pages[1]) ?? 0) * 4096
    }
}
