import GatehouseBase

/// What a route is to JupyterHub, by its prefix: the Hub's own, a user's server, a service.
///
/// Whose cookies are whose is told by the route that an answer came from: the code behind
/// `/user/bob` is bob's, and may speak for nobody else.
struct HubPlace: Sendable {
    enum Kind: Sendable, Equatable { case hub, server, service, other }

    let kind: Kind
    /// How JupyterHub calls the cookie of a server or service; empty for the other kinds.
    let cookie: [UInt8]
    /// Whose the cookies are that come from there.
    let setter: PinSet.Setter

    /// - Parameters:
    ///   - prefix: of the route, decoded, without slash at its end but for `/`.
    ///   - base: of ``HubPreset``.
    init(prefix: ArraySlice<UInt8>, base: [UInt8]) {
        if HubPlace.isHub(prefix: prefix, base: base) {
            self.init(.hub, .hub)
            return
        }
        let route = Array(prefix)
        guard prefix.starts(with: base) else {
            self.init(.other, PinSet.Setter(route: route, owner: route))
            return
        }
        let segments = prefix.dropFirst(base.count)
            .split(separator: 0x2F, omittingEmptySubsequences: false)
        let owner = Array(segments.prefix(2).joined(separator: [0x2F]))
        let setter = PinSet.Setter(route: route, owner: owner)
        switch (segments.first.map { String(decoding: $0, as: UTF8.self) }, segments.count) {
        case ("user", 2), ("user", 3):
            let names = segments.dropFirst().map(HubPlace.quoted)
            self.init(
                .server, setter, Array("jupyterhub-user-".utf8) + names.joined(separator: [0x2D]))
        case ("services", 2):
            self.init(.service, setter, Array("service-".utf8) + segments[1])
        default: self.init(.other, setter)
        }
    }

    /// Whether a prefix is the Hub's own, without a look at what else it may be.
    static func isHub(prefix: ArraySlice<UInt8>, base: [UInt8]) -> Bool {
        prefix.elementsEqual([0x2F]) || prefix.elementsEqual(base.dropLast())
            || prefix.count == base.count + 3 && prefix.starts(with: base)
                && prefix.suffix(3).elementsEqual("hub".utf8)
    }

    private init(_ kind: Kind, _ setter: PinSet.Setter, _ cookie: [UInt8] = []) {
        self.kind = kind
        self.setter = setter
        self.cookie = cookie
    }

    /// A name as JupyterHub writes it into its cookies' names: Python's `urllib.parse.quote`.
    private static func quoted(_ name: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for byte in name {
            let isPlain =
                ASCII.isDigit(byte) || (0x61...0x7A).contains(byte | 0x20) && byte < 0x80
                || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E
            if isPlain {
                result.append(byte)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += Array((digits.utf8.count == 1 ? "%0" : "%").utf8) + Array(digits.utf8)
            }
        }
        return result
    }
}
