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
    let records: any SessionRecords
    let keys: GateKeys
    let clock: GateClock
    let log: Log
    let cookieLog: CookieLog
    let signOuts: RecentSignOuts
    let rules: AccessRules
    let hosts: PublicHosts
    let identityNames: OwnedNames
    /// nil where tokens of JupyterHub let nobody in.
    let lane: TokenLane?
    /// Never the same twice; what a connection remembers is remembered under it.
    let serial: Int

    private static let made = Atomic<Int>(0)

    init(options: Gate.Options, provider: ProviderClient?, of gate: Gate) {
        self.options = options
        self.provider = provider
        store = gate.store
        records = gate.records
        keys = gate.keys
        clock = gate.clock
        log = gate.log
        cookieLog = gate.cookieLog
        signOuts = gate.signOuts
        rules = AccessRules(options.access)
        hosts = PublicHosts(options.publicURLs)
        identityNames = OwnedNames(options.identityNames)
        lane =
            provider == nil
            ? nil
            : gate.hub.map {
                TokenLane($0, limits: options.limits, clock: gate.clock, log: gate.log)
            }
        serial = GateSnapshot.made.add(1, ordering: .relaxed).newValue
    }

    /// Decides about a request on a public listener. Looks only at what it is given and at the
    /// session store; waits for nothing.
    ///
    /// - Parameters:
    ///   - request: as parsed.
    ///   - arrival: how it came.
    ///   - route: of the route that it would take; nil where there is none.
    ///   - prefix: of that route, decoded.
    ///   - answer: to the question that was the decision before.
    ///   - memo: the connection's.
    public func decide(
        _ request: borrowing RequestHead, _ arrival: Arrival, route: RouteIdentity?,
        prefix: ArraySlice<UInt8> = [], answer: TokenAnswer? = nil, memo: inout SessionMemo
    ) -> Decision {
        guard provider != nil, holdsToken(request) else {
            return decideByAddress(request, arrival, route, prefix, answer, &memo)
        }
        let decision = decideByAddress(request, arrival, route, prefix, answer, &memo)
        guard case .pass(var passage) = decision else { return decision }
        passage.edits.target = withoutToken(request)
        return .pass(passage)
    }

    /// Whether the host, the scheme and the path are ones that are served, and by which rule.
    private func decideByAddress(
        _ request: borrowing RequestHead, _ arrival: Arrival, _ route: RouteIdentity?,
        _ prefix: ArraySlice<UInt8>, _ answer: TokenAnswer?, _ memo: inout SessionMemo
    ) -> Decision {
        let path = request.path()
        if path.count > 1, path[1] == UInt8(ascii: ".") || path[1] == UInt8(ascii: "_") {
            if let decision = decideBeforeHost(request) { return decision }
        }
        if provider != nil, !arrival.isTLS, let refusal = refuseFrontFields(request, arrival) {
            return .answer(refusal)
        }
        var host: Int?
        if !hosts.entries.isEmpty {
            host = hosts.index(of: request, isTLS: arrival.isTLS)
            guard host != nil else { return .answer(refuse(request, .misdirected)) }
        }
        let isInClear = provider != nil && !arrival.isTLS
        if isInClear, !GateSnapshot.isChallenge(path, prefix: prefix) {
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
        case .rule(let rule):
            if isInClear, !rules.isPublic(rule) { return .answer(sendToTLS(request, host: host)) }
            let visitor = Visitor(
                arrival: arrival, host: host, route: route, prefix: prefix, answer: answer)
            let hub = provider == nil ? nil : route?.hub
            let address = hub?.address(of: path, reading) ?? .other
            guard address == .logout, !rules.isDenial(rule) else {
                return decideByRule(request, visitor, rule, hub, address, &memo)
            }
            return decideHubLogout(request, visitor, rule, hub, &memo)
        }
    }

    /// At JupyterHub's log out: ours, or the Hub's own business under the rule.
    private func decideHubLogout(
        _ request: borrowing RequestHead, _ visitor: Visitor, _ rule: Int, _ hub: HubPreset?,
        _ memo: inout SessionMemo
    ) -> Decision {
        let found = session(of: request, visitor.arrival, host: visitor.host, &memo)
        let logout = hubLogout(request, found, visitor)
        if case .answer(let answer) = logout { return .answer(answer) }
        let decision = decideByRule(request, visitor, rule, hub, .logout, &memo)
        guard case .whole = logout, let session = found?.0, case .pass(var passage) = decision
        else {
            return decision
        }
        makeWhole(&passage, session, request, visitor.arrival)
        return .pass(passage)
    }

    /// How a request came and where it would go.
    struct Visitor {
        let arrival: Arrival
        let host: Int?
        let route: RouteIdentity?
        let prefix: ArraySlice<UInt8>
        let answer: TokenAnswer?
    }

    /// Under the rule that decides.
    private func decideByRule(
        _ request: borrowing RequestHead, _ visitor: Visitor, _ rule: Int, _ hub: HubPreset?,
        _ address: HubPreset.Address, _ memo: inout SessionMemo
    ) -> Decision {
        guard rules.isPublic(rule) else {
            return decidePrivate(request, visitor, rule, hub, address, &memo)
        }
        var passage = Passage(
            edits: FieldEdits(identityNames: identityNames), review: ResponseReview(),
            session: nil)
        screen(&passage, hub, visitor.prefix, &memo)
        return .pass(passage)
    }

    /// Judges JupyterHub's cookies on the way there and back.
    private func screen(
        _ passage: inout Passage, _ hub: HubPreset?, _ prefix: ArraySlice<UInt8>,
        _ memo: inout SessionMemo
    ) {
        guard let hub else { return }
        let screen = HubScreen(
            memo.place(prefix, hub), prefix: prefix, session: passage.session, records: records,
            log: cookieLog)
        passage.edits.cookies = .screened(screen)
        passage.review.screen = screen
        passage.review.mayBindOrigin = hub.isHub(prefix: prefix)
    }

    /// A rule that is not public: session, origin, then what the rule says.
    private func decidePrivate(
        _ request: borrowing RequestHead, _ visitor: Visitor, _ rule: Int, _ hub: HubPreset?,
        _ address: HubPreset.Address, _ memo: inout SessionMemo
    ) -> Decision {
        let arrival = visitor.arrival
        let host = visitor.host
        guard !rules.isDenial(rule), let host, provider != nil else {
            return .answer(deny(request, session(of: request, arrival, host: host, &memo)?.0))
        }
        guard let (session, identity) = session(of: request, arrival, host: host, &memo) else {
            if let decision = decideByToken(request, visitor, rule) { return decision }
            if FetchMetadata.isNavigation(request) { return .own(.startLogin, bodyLimit: 0) }
            return .answer(askForLogin(request, hosts.entries[host].origin))
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
        if hub != nil, FetchMetadata.feignsWebSocket(request.fields) {
            return .answer(refuse(request, .feignedWebSocket))
        }
        guard allows(rule, identity, request.path(), &memo) else {
            return .answer(deny(request, session))
        }
        var dropsAuthorization = false
        if hub != nil {
            switch judgeToken(beside: session, request, visitor) {
            case .passes: break
            case .passesWithoutAuthorization: dropsAuthorization = true
            case .decided(let decision): return decision
            }
        }
        guard let fields = identityFields(visitor.route, identity, &memo) else {
            return .answer(refuse(request, .identityTooLarge))
        }
        var passage = Passage(
            edits: FieldEdits(identityNames: identityNames, set: fields),
            review: ResponseReview(
                caching: FetchMetadata.isDocument(request) ? .navigation : .privateOnly),
            session: session)
        passage.edits.dropsAuthorization = dropsAuthorization
        if let hub {
            screen(&passage, hub, visitor.prefix, &memo)
            passage.countsFrames = address == .channel
            passage.isActivity = hub.isActivity(request, address)
        }
        if passage.isActivity { session.touch(arrival.now) }
        return .pass(passage)
    }

    /// Whether an exchange that has begun may go on under these rules; asked after a reload.
    ///
    /// - Parameters:
    ///   - session: nil for one that a public rule or a token let in.
    ///   - bearer: of that token.
    public func stillAllows(
        _ request: borrowing RequestHead, _ session: Session?, _ bearer: HubBearer? = nil
    ) -> Bool {
        let host = session?.host ?? (rules.readsHost ? PublicHosts.name(of: request) : nil)
        let match = rules.decide(host: host, method: request.methodName(), path: request.path())
        guard case .rule(let rule) = match, !rules.isDenial(rule) else { return false }
        if rules.isPublic(rule) { return true }
        if let bearer, lane != nil { return rules.allows(rule, bearer, path: request.path()) }
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

    /// Whether a request is for a challenge of a certificate authority, which comes in clear
    /// (RFC 8555 §8.3), and a route is there for these alone.
    public static func isChallenge(
        _ path: borrowing Span<UInt8>, prefix: ArraySlice<UInt8>
    ) -> Bool {
        path.count > challenges.count
            && path.extracting(first: challenges.count).equals(challenges.span)
            && prefix.starts(with: challenges.dropLast())
    }

    private static let challenges = Array("/.well-known/acme-challenge/".utf8)

    private func identityFields(
        _ route: RouteIdentity?, _ identity: SessionIdentity, _ memo: inout SessionMemo
    ) -> Fields? {
        guard let route, !route.identityHeaders.isEmpty else { return Fields() }
        if let known = memo.identityFields(route, identity) { return known }
        let made = IdentityFields.make(route, for: identity, limit: options.identityFieldBytes)
        if let made { memo.note(route, identity, made) }
        return made
    }
}
