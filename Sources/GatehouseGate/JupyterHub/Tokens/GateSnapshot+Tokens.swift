import GatehouseBase
import GatehouseHTTP

/// The lane of JupyterHub's tokens: scripts go on working, while what a browser's session left
/// behind is worth nothing without that session.
extension GateSnapshot {
    /// Decides about a request without a session that shows a token.
    ///
    /// - Returns: nil where it is none of the lane's.
    func decideByToken(
        _ request: borrowing RequestHead, _ visitor: Visitor, _ rule: Int
    ) -> Decision? {
        guard let lane, let hub = visitor.route?.hub, let host = visitor.host,
            let token = HubToken(request, limit: options.limits.hubTokenLength)
        else { return nil }
        let name = hosts.entries[host].host
        let key = token.key(host: name)
        let now = visitor.arrival.now
        guard
            let verdict = visitor.answer?.verdict(of: lane, on: key) ?? lane.recall(key, now: now)
        else {
            return .ask(
                TokenQuestion(
                    lane: lane, key: key, token: token.secret, host: name,
                    peer: visitor.arrival.peer, session: nil))
        }
        switch verdict {
        case .good(let bearer):
            guard rules.allows(rule, bearer, path: request.path()) else {
                return .answer(deny(request, nil))
            }
            var passage = passage(of: bearer, request)
            passage.review.mayBindOrigin = hub.isHub(prefix: visitor.prefix)
            return .pass(passage)
        case .bad, .ofSession: return .answer(GateSnapshot.invalidToken)
        case .tooMany: return .answer(GateSnapshot.tooManyTokens)
        case .unavailable: return .answer(GateSnapshot.hubUnavailable)
        }
    }

    /// Decides about a token that comes beside a session.
    ///
    /// To JupyterHub and its servers the token goes before every cookie. So one that hangs on a
    /// browser's session must hang on this one; else it would be somebody else whom they see, also
    /// after that person's logout. A token of no session is good without us, and one that the Hub
    /// does not know is something between the page and its application.
    ///
    /// A page that was open before somebody signed in again has the token of the session before, for
    /// good: it goes on without it, as whom this session's cookies show, and does not lose what is
    /// written there.
    func judgeToken(
        beside session: Session, _ request: borrowing RequestHead, _ visitor: Visitor
    ) -> TokenBeside {
        guard let lane, let host = visitor.host else { return .passes }
        let token: [UInt8]
        switch ShownTokens(request, limit: options.limits.hubTokenLength) {
        case .none: return .passes
        case .several: return .decided(.answer(GateSnapshot.invalidToken))
        case .one(let shown): token = shown
        }
        if session.knows(token: token) { return .passes }
        let name = hosts.entries[host].host
        let key = HubToken.key(token, host: name)
        let now = visitor.arrival.now
        guard
            let verdict = visitor.answer?.verdict(of: lane, on: key)
                ?? lane.recallBelonging(key, now: now)
        else {
            return .decided(
                .ask(
                    TokenQuestion(
                        lane: lane, key: key, token: Secret(token), host: name,
                        peer: visitor.arrival.peer, session: session)))
        }
        switch verdict {
        case .good:
            session.note(token: token)
            return .passes
        case .ofSession(let bearer, let id):
            guard session.isHubSession(id) else {
                let inQuery = ShownTokens(inQueryOf: request, limit: options.limits.hubTokenLength)
                if inQuery == .none { return .passesWithoutAuthorization }
                log.notice(
                    "token_refused", ("reason", "other_session"), ("user", session.displayName),
                    ("token_user", bearer.name), ("peer", visitor.arrival.peer))
                return .decided(.answer(GateSnapshot.invalidToken))
            }
            session.note(token: token)
            return .passes
        case .bad: return .passes
        case .tooMany: return .decided(.answer(GateSnapshot.tooManyTokens))
        case .unavailable: return .decided(.answer(GateSnapshot.hubUnavailable))
        }
    }

    /// What becomes of a request with a token beside its session.
    enum TokenBeside {
        case passes
        case passesWithoutAuthorization
        case decided(Decision)
    }

    private func passage(of bearer: HubBearer, _ request: borrowing RequestHead) -> Passage {
        var edits = FieldEdits(identityNames: identityNames)
        edits.cookies = .none
        let caching: ResponseReview.Caching =
            FetchMetadata.isDocument(request) ? .navigation : .privateOnly
        return Passage(
            edits: edits, review: ResponseReview(caching: caching, screen: NoCookies()),
            session: nil, bearer: bearer)
    }

    /// A script reads it: no page, no redirect, no cookie.
    private static var invalidToken: GateAnswer {
        GateAnswer.json(401, #"{"error":"invalid_token"}"#).adding(.wwwAuthenticate, "Gatehouse")
    }

    private static var tooManyTokens: GateAnswer { later(429, "too_many_tokens", seconds: 1) }
    private static var hubUnavailable: GateAnswer { later(503, "hub_unavailable", seconds: 5) }

    private static func later(_ status: Int, _ code: StaticString, seconds: Int) -> GateAnswer {
        GateAnswer.json(status, #"{"error":"\#(code)"}"#).adding(.retryAfter, "\(seconds)")
    }
}
