import GatehouseBase
import GatehouseHTTP

/// Whose request it is.
extension GateSnapshot {
    /// The live session that a request's one cookie opens, on its own host.
    func session(
        of request: borrowing RequestHead, _ arrival: Arrival, host: Int?,
        _ memo: inout SessionMemo
    ) -> (Session, SessionIdentity)? {
        guard let host, let place = place(of: request, arrival) else { return nil }
        let value = request.fields.cookie(at: place)
        let found: (Session, SessionIdentity)
        if let known = memo.recall(value) {
            found = known
        } else {
            memo.forget()
            guard let opened = store.find(value, now: arrival.now) else { return nil }
            let generation = opened.session.generation
            found = (opened.session, opened.session.identity)
            if opened.isCurrent {
                memo.remember(value, found.0, generation: generation, identity: found.1)
            }
        }
        guard found.0.host == hosts.entries[host].host,
            found.0.expiry(at: arrival.now, limits: options.session) == nil
        else { return nil }
        return found
    }

    /// The session that this cookie opened a moment ago, before its user signed out with it.
    func signedOut(
        of request: borrowing RequestHead, _ arrival: Arrival, host: Int?
    ) -> SignedOut? {
        guard let host, let place = place(of: request, arrival),
            let found = signOuts.recall(request.fields.cookie(at: place), now: arrival.now),
            found.host == hosts.entries[host].host
        else { return nil }
        return found
    }

    /// Where the one cookie stands that may open a session.
    func place(of request: borrowing RequestHead, _ arrival: Arrival) -> CookieField.Place? {
        guard provider != nil, arrival.isTLS,
            case .one(let place) = CookieField.find(ReservedCookies.session, in: request.fields)
        else { return nil }
        return place
    }
}
