import GatehouseBase
import GatehouseHTTP

/// A request for one of our endpoints, with what everybody there asks for.
struct Visit {
    let request: RequestHead
    let body: [UInt8]
    let arrival: Arrival
    let snapshot: GateSnapshot
    let provider: ProviderClient
    let hostIndex: Int

    var host: PublicHosts.Entry { snapshot.hosts.entries[hostIndex] }
    var origin: Origin { host.origin }
    var limits: Limits { snapshot.options.limits }

    /// An address of ours, absolute.
    func url(_ path: StaticString) -> String { "\(origin)\(path)" }

    /// The address that starts a login with that target.
    func loginURL(_ target: String) -> String {
        url(OwnPath.login) + "?rd=" + FormFields.encode(target)
    }

    /// The live session of the browser; looked up anew each time, since it may end meanwhile.
    func session(now: Instant) -> Session? {
        var memo = SessionMemo()
        var arrival = arrival
        arrival.now = now
        return snapshot.session(of: request, arrival, host: hostIndex, &memo)?.0
    }

    /// The session that the browser's cookie belongs to, also by an id that was replaced.
    var owner: Session? {
        snapshot.place(of: request, arrival).flatMap {
            snapshot.store.owner(of: request.fields.cookie(at: $0))
        }
    }

    /// Keeps what the session's cookie has just signed out.
    func remember(_ signedOut: SignedOut, in signOuts: RecentSignOuts, now: Instant) {
        guard let place = snapshot.place(of: request, arrival) else { return }
        signOuts.remember(signedOut, request.fields.cookie(at: place), now: now)
    }

    /// The session that the browser signed out a moment ago.
    func signedOut(now: Instant) -> SignedOut? {
        var arrival = arrival
        arrival.now = now
        return snapshot.signedOut(of: request, arrival, host: hostIndex)
    }

    /// The only value of a parameter in the query; nil where there are none or several.
    func parameter(_ name: String) -> String? {
        guard let fields = FormFields(parsing: request.query().array) else { return nil }
        let values = fields.all(named: name)
        return values.count == 1 ? values[0] : nil
    }

    /// What the loop cookie counts; anything odd counts as nothing.
    var loop: LoopCount {
        guard case .one(let place) = CookieField.find(ReservedCookies.loop, in: request.fields),
            let text = request.fields.cookie(at: place).text
        else { return LoopCount() }
        return LoopCount(text)
    }
}
