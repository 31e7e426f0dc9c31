import GatehouseBase

/// A cookie's name, as far as JupyterHub signs people in by it.
struct HubCookie: Equatable {
    enum Kind: Equatable {
        /// `jupyterhub-hub-login`: opens the Hub.
        case hubLogin
        /// `jupyterhub-session-id`: ties a browser to its tokens, on all paths.
        case sessionID
        /// `jupyterhub-user-…`: opens the server that it is named after.
        case server
        /// `service-…`: opens a service, which may be called otherwise (`oauth_client_id`).
        case service
    }

    static let sessionID = Array("jupyterhub-session-id".utf8)

    let kind: Kind
    /// The name without `__Host-`.
    let name: [UInt8]
    /// Whether a backend may read it as such a name, although it is not spelt so.
    let isOdd: Bool

    /// - Returns: nil for every other cookie.
    init?(_ spelt: borrowing Span<UInt8>) {
        var start = 0
        var end = spelt.count
        while start < end, !ASCII.isToken(spelt[start]) { start += 1 }
        while end > start, !ASCII.isToken(spelt[end - 1]) { end -= 1 }
        let isOdd = start > 0 || end < spelt.count
        if end - start > 7, spelt.extracting(start..<start + 7).equalsIgnoringCase("__host-") {
            start += 7
        }
        let name = spelt.extracting(start..<end)
        // Most cookies are none: two bytes tell.
        guard name.count > 7, name[0] | 0x20 == 0x6A || name[0] | 0x20 == 0x73 else { return nil }
        if name.equalsIgnoringCase("jupyterhub-hub-login") {
            kind = .hubLogin
        } else if name.equalsIgnoringCase("jupyterhub-session-id") {
            kind = .sessionID
        } else if name.startsLike("jupyterhub-user-") {
            kind = .server
        } else if name.startsLike("service-") {
            kind = .service
        } else {
            return nil
        }
        self.name = name.array
        self.isOdd = isOdd
    }

    /// Whether it is one of a sign-in under way at a server whose cookie is `owner`: worth nothing
    /// without the answer that it waits for.
    func isState(of owner: [UInt8]) -> Bool {
        !owner.isEmpty && !isOdd && name.starts(with: owner + Array("-oauth-state".utf8))
    }
}
