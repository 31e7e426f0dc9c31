import GatehouseBase
import GatehouseProxy
import Synchronization

/// A route as it is used: where it goes, what is done there, and when it was used last. One object
/// for all loops, and a small one: a Hub may have 100,000 of them.
final class Route: Sendable {
    /// The address, and behind it what the API was given: one piece of memory.
    private let bytes: [UInt8]
    private let addressCount: UInt16
    /// How many segments its prefix has; the complement of that for a route of one host only.
    private let place: Int16
    /// When the Hub has told it, or confirmed it before a restart; wall clock, since 1970.
    private let confirmedSeconds: UInt32
    /// nil where its text is no URL that can be reached.
    let target: UpstreamTarget?
    let rules: RouteRules
    /// Wall clock, in milliseconds since 1970.
    private let lastActivity: Atomic<Int64>

    /// - Parameters:
    ///   - name: for the log; the address of a route of the API.
    ///   - data: what the API was given, as ``RouteData`` keeps it; empty for a configured route.
    ///   - confirmed: when the Hub has told it.
    init(
        name: String, target: UpstreamTarget?, rules: RouteRules, host: String?, prefix: String,
        data: [UInt8] = [], lastActivity: Timestamp = .now(), confirmed: Timestamp = .now()
    ) {
        // No request has a longer one.
        let address = Array(name.utf8.prefix(Int(UInt16.max)))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(address.count + data.count)
        bytes += address
        bytes += data
        self.bytes = bytes
        addressCount = UInt16(address.count)
        let depth = Int16(clamping: Route.depth(of: prefix))
        place = host == nil ? depth : ~depth
        self.target = target
        self.rules = rules
        self.lastActivity = Atomic(lastActivity.milliseconds)
        confirmedSeconds = UInt32(clamping: confirmed.milliseconds / 1000)
    }

    /// How many segments its prefix has.
    var depth: Int { Int(hasHost ? ~place : place) }

    /// Whether it is of one host only.
    var hasHost: Bool { place < 0 }

    /// When the Hub has told it, or confirmed it before a restart: wall clock, whole seconds.
    var confirmedMilliseconds: Int64 { Int64(confirmedSeconds) * 1000 }

    /// For the log, and the address of a route of the API: `host/path`, `/user/alice`.
    var name: ArraySlice<UInt8> { bytes[..<Int(addressCount)] }

    /// The prefix of the paths that it covers, decoded.
    var prefix: ArraySlice<UInt8> {
        let name = name
        guard hasHost, let start = name.dropFirst(isOfAPI ? 1 : 0).firstIndex(of: 0x2F) else {
            return name
        }
        return name[start...]
    }

    /// What the API was given; empty for a configured route.
    var data: ArraySlice<UInt8> { bytes[Int(addressCount)...] }

    /// Whether the API has made it.
    var isOfAPI: Bool { bytes.count > Int(addressCount) }

    /// Whether it decides before `other`, where both cover a path: one of the host, then the longer
    /// prefix.
    func isMorePrecise(than other: Route) -> Bool {
        hasHost != other.hasHost ? hasHost : depth > other.depth
    }

    /// How many segments a prefix has.
    static func depth(of prefix: String) -> Int {
        prefix == "/" ? 0 : prefix.utf8.count { $0 == UInt8(ascii: "/") }
    }

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
