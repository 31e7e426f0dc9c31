import GatehouseBase
import GatehouseGate
import GatehouseProxy
import Synchronization

/// A route as it is used: where it goes, what the gate must know of it, and when it was used last.
/// One object for all loops.
final class Route: Sendable {
    /// For the log, and the address of a route of the API: `host/path`, `/user/alice`.
    let name: String
    /// nil where its text is no URL that can be reached.
    let target: UpstreamTarget?
    /// nil where the target of requests stays.
    let rewriting: TargetRewriting?
    let identity: RouteIdentity
    /// What the API was given, as JSON without `last_activity` and without the brace at its end;
    /// empty for a configured route.
    let data: [UInt8]
    /// Which of two that cover a path decides: one of the host, then the longer prefix.
    let precedence: Int
    /// Wall clock, in milliseconds since 1970.
    private let lastActivity: Atomic<Int64>

    init(
        name: String, target: UpstreamTarget?, rewriting: TargetRewriting?,
        identity: RouteIdentity, host: String?, prefix: String, data: [UInt8] = [],
        lastActivity: Timestamp = .now()
    ) {
        self.name = name
        self.target = target
        self.rewriting = rewriting.flatMap { $0.isEmpty ? nil : $0 }
        self.identity = identity
        self.data = data
        precedence = Route.depth(of: prefix) + (host == nil ? 0 : 1 << 32)
        self.lastActivity = Atomic(lastActivity.milliseconds)
    }

    /// How many segments a prefix has.
    static func depth(of prefix: String) -> Int {
        prefix == "/" ? 0 : prefix.utf8.count { $0 == UInt8(ascii: "/") }
    }

    /// How many segments its prefix has.
    var depth: Int { precedence & 0xFFFF_FFFF }

    /// Says that it is used now.
    func touch() {
        let now = Timestamp.now().milliseconds
        // Most calls of a busy second write nothing: other loops read the same line of memory.
        if lastActivity.load(ordering: .relaxed) < now {
            lastActivity.store(now, ordering: .relaxed)
        }
    }

    var lastActivityMilliseconds: Int64 { lastActivity.load(ordering: .relaxed) }
}
