import GatehouseBase
public import GatehouseHTTP
import Synchronization

/// Everything that a decision needs, immutable. Each loop keeps one; a reload makes another, and
/// requests that have begun go on with theirs.
public final class GateSnapshot: Sendable {
    public let options: Gate.Options
    /// nil where nobody can sign in.
    let provider: ProviderClient?
    let store: SessionStore
    let rules: AccessRules
    let hosts: PublicHosts
    let identityNames: OwnedNames
    /// Never the same twice; what a connection remembers is remembered under it.
    let serial: Int

    private static let made = Atomic<Int>(0)

    init(options: Gate.Options, provider: ProviderClient?, store: SessionStore) {
        self.options = options
        self.provider = provider
        self.store = store
        rules = AccessRules(options.access)
        hosts = PublicHosts(options.publicURLs)
        identityNames = OwnedNames(options.identityNames)
        serial = GateSnapshot.made.add(1, ordering: .relaxed).newValue
    }

    /// Decides about a request on a public listener. Looks only at what it is given and at the
    /// session store; waits for nothing.
    ///
    /// - Parameters:
    ///   - request: as parsed.
    ///   - arrival: how it came.
    ///   - route: of the route that it would take; nil where there is none.
    ///   - memo: the connection's.
    public func decide(
        _ request: borrowing RequestHead, _ arrival: Arrival, route: RouteIdentity?,
        memo: inout SessionMemo
    ) -> Decision {
        let path = request.path()
        if path.count > 1, path[1] == UInt8(ascii: ".") || path[1] == UInt8(ascii: "_") {
            if let decision = decideBeforeHost(request) { return decision }
        }
        if provider != nil, !arrival.isTLS, let refusal = refuseStrangersFields(request, arrival) {
            return .answer(refusal)
        }
        var host: Int?
        if !hosts.entries.isEmpty {
            host = hosts.index(of: request, isTLS: arrival.isTLS)
            guard host != nil else { return .answer(refuse(request, .misdirected)) }
        }
        if provider != nil, !arrival.isTLS {
            return .answer(sendToTLS(request, host: host))
        }
        if request.method == .connect || request.method == .trace {
            return .answer(refuse(request, .methodNotAllowed))
        }
        let reading = PathReading.check(path)
        guard reading != .invalid else { return .answer(refuse(request, .invalidPath)) }
        if reading == .plain, AccessRules.isOurs(plain: path) { return decideOwn(request) }
        let name =
            host.map { hosts.entries[$0].host }
            ?? (rules.readsHost ? PublicHosts.name(of: request) : nil)
        let match =
            reading == .plain
            ? rules.decide(host: name, method: request.methodName(), plain: path)
            : rules.decide(host: name, method: request.methodName(), special: path)
        switch match {
        case .invalidPath: return .answer(refuse(request, .invalidPath))
        case .ours: return .answer(refuse(request, .notFound))
        case .disagree: return .answer(refuse(request, .ambiguousPath))
        case .noRule:
            return .answer(deny(request, session(of: request, arrival, host: host, &memo)?.0))
        case .rule(let rule) where rules.isPublic(rule):
            return .pass(
                Passage(
                    edits: FieldEdits(identityNames: identityNames), review: ResponseReview(),
                    session: nil))
        case .rule(let rule):
            return decidePrivate(
                request, arrival, rule: rule, host: host, route: route, memo: &memo)
        }
    }

    /// Whether a request only asks whether we serve.
    public static func isHealth(_ request: borrowing RequestHead) -> Bool {
        request.path().equals("/.gatehouse/healthz") || isContractHealth(request)
    }

    /// Exactly this, whatever the method; with a query, or to become a WebSocket, it is a path as
    /// any other, as with configurable-http-proxy.
    private static func isContractHealth(_ request: borrowing RequestHead) -> Bool {
        request.path().equals("/_chp_healthz") && request.target().equals("/_chp_healthz")
            && request.method != .connect && request.method != .trace
            && request.fields.firstIndex(of: .upgrade) == nil
    }

    /// Health, whatever the host, and what proves itself by signature.
    private func decideBeforeHost(_ request: borrowing RequestHead) -> Decision? {
        let path = request.path()
        if GateSnapshot.isContractHealth(request) {
            return .answer(.json(200, #"{"status":"OK"}"#))
        }
        if path.equals("/.gatehouse/healthz") {
            guard request.method == .get || request.method == .head else {
                return .answer(refuse(request, .methodNotAllowed).adding(.allow, "GET, HEAD"))
            }
            return .answer(.json(200, #"{"status":"OK"}"#))
        }
        guard provider != nil, options.publicBackChannel,
            path.equals("/.gatehouse/backchannel-logout")
        else { return nil }
        guard request.method == .post else {
            return .answer(.json(405, #"{"error":"method"}"#).adding(.allow, "POST"))
        }
        return .own(.backChannelLogout, bodyLimit: options.limits.ownBody)
    }

    /// One of the endpoints, or nothing.
    private func decideOwn(_ request: borrowing RequestHead) -> Decision {
        guard provider != nil, let (endpoint, methods) = Endpoint.find(request.path()) else {
            return .answer(refuse(request, .notFound))
        }
        guard methods.contains(request.method) else {
            let allowed = methods.map { $0 == .post ? "POST" : $0 == .head ? "HEAD" : "GET" }
            return .answer(
                refuse(request, .methodNotAllowed)
                    .adding(.allow, allowed.joined(separator: ", ")))
        }
        let limit = request.method == .post ? options.limits.ownBody : 0
        return .own(endpoint, bodyLimit: limit)
    }

    /// A rule that is not public: session, origin, then what the rule says.
    private func decidePrivate(
        _ request: borrowing RequestHead, _ arrival: Arrival, rule: Int, host: Int?,
        route: RouteIdentity?, memo: inout SessionMemo
    ) -> Decision {
        guard !rules.isDenial(rule), let host, provider != nil else {
            return .answer(deny(request, session(of: request, arrival, host: host, &memo)?.0))
        }
        guard let (session, identity) = session(of: request, arrival, host: host, &memo) else {
            if FetchMetadata.isNavigation(request) { return .own(.startLogin, bodyLimit: 0) }
            return .answer(askForLogin(hosts.entries[host].origin))
        }
        let origin = hosts.entries[host].text
        if FetchMetadata.isUpgrade(request) {
            // Lax cookies come along from sibling sites (RFC 6455 §10.2).
            guard FetchMetadata.comesFrom(origin, request.fields) else {
                return .answer(refuse(request, .crossSite))
            }
        } else if !request.method.isSafe, FetchMetadata.isForeign(request.fields, to: origin) {
            return .answer(refuse(request, .crossSite))
        }
        guard allows(rule, identity, request.path(), &memo) else {
            return .answer(deny(request, session))
        }
        guard let fields = identityFields(route, identity, &memo) else {
            return .answer(refuse(request, .identityTooLarge))
        }
        session.touch(arrival.now)
        return .pass(
            Passage(
                edits: FieldEdits(identityNames: identityNames, set: fields),
                review: ResponseReview(
                    caching: FetchMetadata.isNavigation(request) ? .navigation : .privateOnly),
                session: session))
    }

    /// Whether an exchange that has begun may go on under these rules; asked after a reload.
    ///
    /// - Parameter session: nil for one that a public rule let in.
    public func stillAllows(_ request: borrowing RequestHead, _ session: Session?) -> Bool {
        let host = session?.host ?? (rules.readsHost ? PublicHosts.name(of: request) : nil)
        let match = rules.decide(host: host, method: request.methodName(), path: request.path())
        guard case .rule(let rule) = match, !rules.isDenial(rule) else { return false }
        if rules.isPublic(rule) { return true }
        guard let session else { return false }
        return rules.allows(rule, session.identity.claims, path: request.path())
    }

    private func allows(
        _ rule: Int, _ identity: SessionIdentity, _ path: borrowing Span<UInt8>,
        _ memo: inout SessionMemo
    ) -> Bool {
        if rules.readsPath(rule) { return rules.allows(rule, identity.claims, path: path) }
        if let known = memo.verdict(self, rule: rule, identity) { return known }
        let isAllowed = rules.allows(rule, identity.claims, path: path)
        memo.note(self, rule: rule, identity, isAllowed: isAllowed)
        return isAllowed
    }

    private func identityFields(
        _ route: RouteIdentity?, _ identity: SessionIdentity, _ memo: inout SessionMemo
    ) -> Fields? {
        guard let route, !route.identityHeaders.isEmpty else { return Fields() }
        if let known = memo.identityFields(route, identity) { return known }
        let made = IdentityFields.make(route, for: identity, limit: options.identityFieldBytes)
        if let made { memo.note(route, identity, made) }
        return made
    }

    /// The live session that a request's one cookie opens, on its own host.
    func session(
        of request: borrowing RequestHead, _ arrival: Arrival, host: Int?,
        _ memo: inout SessionMemo
    ) -> (Session, SessionIdentity)? {
        guard let host, provider != nil, arrival.isTLS,
            case .one(let place) = CookieField.find(ReservedCookies.session, in: request.fields)
        else { return nil }
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
}
