public import GatehouseBase
public import GatehouseHTTP
import Synchronization

/// Decides who may pass, signs people in and out, and ends what must end.
///
/// A decision is synchronous (``GateSnapshot/decide(_:_:route:prefix:answer:memo:)``); what needs the provider
/// or the records is an ``Endpoint`` and served here. The gate knows no socket: the provider is
/// reached over a ``BackChannel``, and live exchanges are ended by ``onEnd``.
public final class Gate: Sendable {
    /// Closes what hangs on a session, on every loop; returns when every loop has done so.
    public typealias EndHook = @Sendable (Session, EndCause) async -> Void

    public let store: SessionStore
    let records: any SessionRecords
    let keys: GateKeys
    let log: Log
    let cookieLog: CookieLog
    let clock: GateClock
    let onEnd: EndHook
    let hub: (any HubAPI)?
    let redemptions: Redemptions
    let replays: SeenOnce
    let rejections: PeerRate
    let signOuts: RecentSignOuts
    /// nil only while it is made.
    private let current: Locked<GateSnapshot?>

    /// - Parameters:
    ///   - options: what the configuration says.
    ///   - keys: the store must have been made with their index key.
    ///   - store: sessions; outlives reloads.
    ///   - records: where sessions are kept besides.
    ///   - provider: nil where nobody can sign in.
    ///   - hub: nil where tokens of JupyterHub let nobody in.
    ///   - log: audit events go there at `notice`.
    ///   - clock: the system's, but in tests.
    ///   - onEnd: see ``EndHook``.
    public init(
        options: Options, keys: GateKeys, store: SessionStore, records: any SessionRecords,
        provider: ProviderClient?, hub: (any HubAPI)? = nil, log: Log,
        clock: GateClock = .system, onEnd: @escaping EndHook
    ) {
        self.keys = keys
        self.store = store
        self.records = records
        self.log = log
        cookieLog = CookieLog(log, clock)
        self.clock = clock
        self.onEnd = onEnd
        self.hub = hub
        redemptions = Redemptions(limits: options.limits)
        replays = SeenOnce(capacity: options.limits.replayEntries)
        rejections = PeerRate(perSecond: options.limits.logoutTokensPerPeer)
        signOuts = RecentSignOuts(indexKey: keys.index)
        current = Locked(nil)
        take(options, provider)
        _ = store.admit(registration)
    }

    /// What decides now; each loop keeps a copy until it is told of another.
    public var snapshot: GateSnapshot {
        guard let snapshot = current.withLock({ $0 }) else { preconditionFailure("not made yet") }
        return snapshot
    }

    /// Takes over another configuration. Sessions stay, unless the provider is another one or we
    /// are another client of it. Loops must be given ``snapshot`` then.
    public func replace(_ options: Options, provider: ProviderClient?) async {
        take(options, provider)
        // What the records say is in the log; the sessions are over.
        _ = try? await end(store.admit(registration), .providerChanged)
    }

    private func take(_ options: Options, _ provider: ProviderClient?) {
        let snapshot = GateSnapshot(options: options, provider: provider, of: self)
        current.withLock { $0 = snapshot }
    }

    /// Who is asked; nil where nobody signs in.
    public var provider: ProviderClient? { snapshot.provider }

    /// Of the provider that is in force; nothing where there is none.
    private var registration: [UInt8] { snapshot.provider?.options.registration ?? [] }

    /// As ``GateSnapshot/decide(_:_:route:prefix:answer:memo:)`` with the newest snapshot.
    public func decide(
        _ request: borrowing RequestHead, _ arrival: Arrival, route: RouteIdentity?,
        prefix: ArraySlice<UInt8> = [], answer: TokenAnswer? = nil, memo: inout SessionMemo
    ) -> Decision {
        snapshot.decide(
            request, arrival, route: route, prefix: prefix, answer: answer, memo: &memo)
    }

    /// Answers a request for one of our endpoints.
    ///
    /// - Parameters:
    ///   - endpoint: as decided.
    ///   - request: its head.
    ///   - body: whole, up to the limit that was decided.
    ///   - arrival: as for the decision.
    public func serve(
        _ endpoint: Endpoint, _ request: RequestHead, body: [UInt8], arrival: Arrival
    ) async -> GateAnswer {
        let snapshot = snapshot
        if endpoint == .backChannelLogout {
            return await serveBackChannelLogout(
                request, body: body, arrival: arrival, snapshot: snapshot)
        }
        guard let provider = snapshot.provider,
            let host = snapshot.hosts.index(of: request, isTLS: arrival.isTLS)
        else { return snapshot.refuse(request, .misdirected) }
        let visit = Visit(
            request: request, body: body, arrival: arrival, snapshot: snapshot,
            provider: provider, hostIndex: host)
        switch endpoint {
        case .startLogin: return await serveStart(visit)
        case .login: return await serveLogin(visit)
        case .callback: return await serveCallback(visit)
        case .logout: return await serveLogout(visit)
        case .loggedOut: return serveLoggedOut(visit)
        case .session: return serveSession(visit)
        case .backChannelLogout: return snapshot.refuse(request, .notFound)
        }
    }

    /// Who is signed in and for how long; never a token, and no activity of the user.
    private func serveSession(_ visit: Visit) -> GateAnswer {
        guard let session = visit.session(now: visit.arrival.now) else {
            return visit.snapshot.askForLogin(visit.request, visit.origin)
        }
        let now = visit.arrival.now
        let limits = visit.snapshot.options.session
        let idle = limits.idle - now.since(session.lastActivity)
        let absolute = limits.absolute - now.since(session.startedAt)
        let json = JSONValue.object([
            "user": session.username.map { .string($0) } ?? .null,
            "idle_seconds": .number(Double(max(0, idle.wholeSeconds))),
            "absolute_seconds": .number(Double(max(0, absolute.wholeSeconds))),
            "csrf": .string(FormToken.make(.form, for: session.tag, key: keys.forms)),
            "logout_url": .string(visit.url(OwnPath.logout)),
        ])
        guard
            case .response(var response) =
                GateAnswer.json(200, String(decoding: json.encoded(), as: UTF8.self))
        else { return .page(.internalError, status: 500) }
        response.head.fields.append("Cross-Origin-Resource-Policy", "same-origin")
        response.head.fields.append("X-Content-Type-Options", "nosniff")
        return .response(response)
    }

    // MARK: Ending sessions

    /// Ends sessions: the one way in which any session ends.
    ///
    /// All of them are over for every new request before the first socket is closed; then every
    /// loop closes what hangs on them, then the records forget them. An error is the records': the
    /// sessions are over in memory all the same.
    @discardableResult
    public func end(_ sessions: [Session], _ cause: EndCause) async throws -> Int {
        let ended = sessions.filter { $0.markEnded() }
        store.remove(ended)
        for session in ended { await onEnd(session, cause) }
        for session in ended {
            log.notice(
                "logout", ("user", session.displayName), ("host", session.host),
                ("cause", cause.rawValue))
        }
        guard !ended.isEmpty else { return 0 }
        do { try await records.end(ended) } catch {
            log.error("the records of ended sessions could not be removed", ("error", "\(error)"))
            throw error
        }
        return ended.count
    }

    /// Ends the sessions that have run into a limit; to be called about twice a second.
    public func endExpired() async {
        signOuts.forget(before: clock.instant())
        redemptions.expire(now: clock.instant())
        let limits = snapshot.options.session
        let expired = store.expired(now: clock.instant(), limits: limits)
        for cause in [EndCause.idle, .absolute] {
            let sessions = expired.filter { $0.1 == cause }.map(\.0)
            // What the records say is in the log; the sessions are over.
            if !sessions.isEmpty { _ = try? await end(sessions, cause) }
        }
    }
}
