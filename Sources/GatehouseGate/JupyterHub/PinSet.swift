import GatehouseBase
import GatehouseOIDC

/// The cookies that an upstream has set in a session: what JupyterHub signs people in by reaches it
/// from no other session, wherever a browser has it from.
struct PinSet: Sendable {
    /// A cookie by its name and path.
    struct Place: Sendable, Hashable {
        /// As set, with `__Host-`.
        let name: [UInt8]
        let path: [UInt8]
    }

    private struct Pin: Sendable {
        let place: Place
        /// 16 bytes of SHA-256 each, the newest last: tabs that load side by side get several, and
        /// the browser keeps the one that it read last, which nobody else knows.
        var digests: [[UInt8]]
        /// The value that was asked about last, if it was good: a browser sends the same one again
        /// and again, and a hash costs more than all the rest.
        var recent: [UInt8]?
    }

    /// Cookies of one session; the one that was set longest ago goes first.
    static let limit = 32
    private static let valuesPerCookie = 4

    private var pins: [Pin] = []

    /// Where there are cookies of this session in the browser.
    var places: [Place] { pins.map(\.place) }

    /// Whether one was set with this name and value.
    mutating func holds(_ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>) -> Bool {
        var digest: [UInt8]?
        for index in pins.indices {
            let known = pins[index].place.name
            guard name.equals(known.span) else { continue }
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
    mutating func add(_ place: Place, _ value: borrowing Span<UInt8>) -> Bool {
        let digest = PinSet.digest(value)
        let index = pins.firstIndex { $0.place == place }
        var pin = index.map { pins.remove(at: $0) } ?? Pin(place: place, digests: [])
        let isNew = !pin.digests.contains(digest)
        pin.digests.removeAll { $0 == digest }
        pin.digests.append(digest)
        if pin.digests.count > PinSet.valuesPerCookie { pin.digests.removeFirst() }
        // The value that it stands for may just have been driven out.
        pin.recent = nil
        pins.append(pin)
        if pins.count > PinSet.limit { pins.removeFirst() }
        return isNew
    }

    /// The upstream has removed it. Its place stays known: an `_xsrf` is left beside it.
    mutating func remove(_ place: Place) {
        guard let index = pins.firstIndex(where: { $0.place == place }) else { return }
        pins[index].digests.removeAll()
        pins[index].recent = nil
    }

    private static func digest(_ value: borrowing Span<UInt8>) -> [UInt8] {
        Array(Crypto.sha256(value.array).prefix(16))
    }
}
