import GatehouseBase
import GatehouseHTTP

/// Pins the cookies that JupyterHub signs people in by to the session that they were set in, for one
/// exchange.
///
/// Such a cookie goes upstream only where this very session got it, and only to the route that it
/// belongs to; set by another route it is dropped, or a user's code could plant a pin. A service
/// may have any `oauth_client_id`, after which its cookie is named: it is known by its Path. So after
/// another person has signed in on the same browser, or with a copied cookie, the Hub sees a
/// stranger and logs in the right one.
final class HubScreen: CookieScreen {
    /// Bytes of a cookie's name and of its path. A browser heeds no longer Path
    /// (draft-ietf-httpbis-rfc6265bis §5.6), so such a cookie would stand where nobody looks for it
    /// to remove it; JupyterHub's is its base URL and two names.
    private static let longest = 1024

    /// nil under a public rule: nobody is signed in there, and nothing is pinned.
    private let session: Session?
    private let prefix: ArraySlice<UInt8>
    private let place: HubPlace
    private let records: any SessionRecords
    private let log: CookieLog

    init(
        _ place: HubPlace, prefix: ArraySlice<UInt8>, session: Session?,
        records: any SessionRecords, log: CookieLog
    ) {
        self.place = place
        self.prefix = prefix
        self.session = session
        self.records = records
        self.log = log
    }

    func passes(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) -> Bool {
        guard let cookie = HubCookie(name) else { return true }
        if cookie.isState(of: place.cookie) { return true }
        let isAtHome =
            switch cookie.kind {
            case .hubLogin: place.kind == .hub
            case .sessionID: true
            case .server: cookie.name == place.cookie
            case .service: place.kind != .hub
            }
        let setter: PinSet.Setter =
            switch cookie.kind {
            case .hubLogin, .sessionID: .hub
            case .server, .service: place.setter
            }
        if isAtHome, !cookie.isOdd, let session, session.hasPin(name, value, by: setter) {
            return true
        }
        log.stripped(cookie, on: prefix, user: session?.displayName ?? "")
        return false
    }

    func judge(setCookie line: borrowing Span<UInt8>) -> SetCookieVerdict {
        let name = SetCookie.name(of: line)
        guard let cookie = HubCookie(name) else { return .passes }
        if cookie.isState(of: place.cookie) { return .passes }
        let path = SetCookie.path(of: line) ?? Array(prefix)
        let isAtHome =
            switch cookie.kind {
            case .hubLogin, .sessionID: place.kind == .hub
            case .server: cookie.name == place.cookie
            case .service:
                cookie.name == place.cookie || place.kind != .hub && isBelowRoute(path)
            }
        let isKept = max(name.count, path.count) <= HubScreen.longest
        guard isAtHome, isKept, !cookie.isOdd, let session else {
            let cause: CookieLog.Cause =
                !isAtHome ? .foreign : cookie.isOdd ? .unclear : isKept ? .anonymous : .long
            log.dropped(cookie, cause, by: prefix)
            return .dropped
        }
        let pinned = PinSet.Place(name: name.array, path: path)
        let value = SetCookie.value(of: line)
        guard !value.isEmpty, !value.equals("\"\"") else {
            session.unpin(pinned, by: place.setter)
            return .passes
        }
        return session.pin(pinned, value, by: place.setter) ? .passesAfterCommit : .passes
    }

    /// Whether no other route's cookie can stand at this path. As it is spelt: an escape is no letter
    /// to a browser.
    private func isBelowRoute(_ path: [UInt8]) -> Bool {
        path.starts(with: prefix)
            && (path.count == prefix.count || path[prefix.count] == UInt8(ascii: "/"))
    }

    func commit() async throws {
        if let session { try await records.commit(session) }
    }
}
