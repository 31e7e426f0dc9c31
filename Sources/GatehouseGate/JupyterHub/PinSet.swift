import GatehouseBase
import GatehouseOIDC

/// The cookies that an upstream has set in a session: what JupyterHub signs people in by reaches it
/// from no other session, wherever a browser has it from.
///
/// A session keeps 32. What is behind a user's route is that user's code, and may set as many as
/// it likes: so nobody's cookies push out anybody else's while he has more than they.
struct PinSet: Sendable {
    /// A cookie by its name and path.
    struct Place: Sendable, Hashable {
        /// As set, with `__Host-`.
        let name: [UInt8]
        let path: [UInt8]
    }

    /// Who sets a cookie, told by the route: it goes back to no other.
    struct Setter: Sendable, Hashable {
        /// The route's prefix; empty for the Hub's own routes, which are one.
        let route: [UInt8]
        /// Whose code it is: all servers of a user are the user's.
        let owner: [UInt8]

        static let hub = Setter(route: [], owner: [])
    }

    private struct Pin: Sendable {
        let place: Place
        let setter: Setter
        /// 16 bytes of SHA-256 each, the newest last: tabs that load side by side get several, and
        /// the browser keeps the one that it read last, which nobody else knows.
        var digests: [[UInt8]]
        /// The value that was asked about last, if it was good: a browser sends the same one again
        /// and again, and a hash costs more than all the rest.
        var recent: [UInt8]?
    }

    /// Cookies of one session.
    static let limit = 32
    /// Cookies of one route; JupyterHub's servers set one, the Hub two.
    static let limitPerRoute = 8
    private static let valuesPerCookie = 4

    /// The one that was set last comes last.
    private var pins: [Pin] = []

    /// Where there are cookies of this session in the browser: the Hub's, and everybody else's.
    var places: (hub: [Place], others: [Place]) {
        (
            pins.filter { $0.setter == .hub }.map(\.place),
            pins.filter { $0.setter != .hub }.map(\.place)
        )
    }

    /// Whether one was set by this setter with this name and value.
    mutating func holds(
        _ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>, by setter: Setter
    ) -> Bool {
        var digest: [UInt8]?
        for index in pins.indices {
            let known = pins[index].place.name
            guard name.equals(known.span), pins[index].setter == setter else { continue }
            if let recent = pins[index].recent {
                let isSame = constantTimeEquals(recent.span, copy value)
                if isSame { return true }
            }
            let asked = digest ?? PinSet.digest(value)
            digest = asked
            if pins[index].digests.contains(where: { constantTimeEquals($0, asked) }) {
                pins[index].recent = value.array
                return true
            }
        }
        return false
    }

    /// - Returns: whether it was not known before.
    mutating func add(
        _ place: Place, _ value: borrowing Span<UInt8>, by setter: Setter
    ) -> Bool {
        let digest = PinSet.digest(value)
        var pin =
            index(of: place, setter).map { pins.remove(at: $0) }
            ?? Pin(place: place, setter: setter, digests: [])
        let isNew = !pin.digests.contains(digest)
        pin.digests.removeAll { $0 == digest }
        pin.digests.append(digest)
        if pin.digests.count > PinSet.valuesPerCookie { pin.digests.removeFirst() }
        // The value that it stands for may just have been driven out.
        pin.recent = nil
        pins.append(pin)
        makeRoom(after: setter)
        return isNew
    }

    /// Its setter has removed it. Its place stays known: an `_xsrf` is left beside it.
    mutating func remove(_ place: Place, by setter: Setter) {
        guard let index = index(of: place, setter) else { return }
        pins[index].digests.removeAll()
        pins[index].recent = nil
    }

    private func index(of place: Place, _ setter: Setter) -> Int? {
        pins.firstIndex { $0.place == place && $0.setter == setter }
    }

    /// Takes the oldest cookie away from the route that has just got one too many; then from the
    /// owner who has most, who is never the Hub.
    private mutating func makeRoom(after setter: Setter) {
        let route = pins.indices.filter { pins[$0].setter == setter }
        if route.count > PinSet.limitPerRoute { pins.remove(at: route[0]) }
        guard pins.count > PinSet.limit else { return }
        var counts: [[UInt8]: Int] = [:]
        for pin in pins where pin.setter != .hub { counts[pin.setter.owner, default: 0] += 1 }
        let most = counts.values.max()
        if let oldest = pins.firstIndex(where: { counts[$0.setter.owner] == most }) {
            pins.remove(at: oldest)
        }
    }

    private static func digest(_ value: borrowing Span<UInt8>) -> [UInt8] {
        Array(Crypto.sha256(value.array).prefix(16))
    }
}
