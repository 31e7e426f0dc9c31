import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC

/// How a login ends.
extension Gate {
    /// `/.gatehouse/callback`: the provider sends the browser back.
    func serveCallback(_ visit: Visit) async -> GateAnswer {
        let response: AuthorizationResponse
        do throws(OIDCError) {
            response = try AuthorizationResponse(parsing: visit.request.query().array)
        } catch {
            return fail(
                visit, .malformed, target: "/", status: 400, reason: error.description)
        }
        guard let state = LoginState.open(response.state, with: keys.transaction),
            sameBytes(state.host, visit.host.host),
            state.issuer == LoginState.tag(issuer: visit.provider.options.issuer)
        else {
            return fail(visit, .malformed, target: "/", status: 400, reason: "state")
        }
        let isOld = clock.timestamp() - state.created > visit.limits.loginTime
        guard let transaction = LoginCookies(visit.request.fields).transaction(state.transaction),
            !isOld
        else {
            // The back button, a link that was passed on, another tab that was faster: who has a
            // session goes on with it, and no code is redeemed.
            if visit.session(now: visit.arrival.now) != nil { return goOn(visit, state) }
            return await restart(visit, state, because: isOld ? .tooOld : .cookies)
        }
        let metadata: ProviderMetadata
        do throws(ProviderTrouble) {
            metadata = try await visit.provider.metadata()
        } catch {
            return providerDown(visit, error, target: state.target)
        }
        do throws(OIDCError) {
            try response.check(
                issuer: visit.provider.options.issuer, promised: metadata.promisesIssuer)
        } catch {
            return fail(
                visit, .malformed, target: state.target, status: 400, reason: error.description)
        }
        switch response.outcome {
        case .error(let code, let description):
            return await serveError(visit, state, code: code, description: description)
        case .code(let code):
            return await redeem(
                visit, state, code: code, transaction: transaction.secret, metadata)
        }
    }

    /// The provider says no, or not now.
    private func serveError(
        _ visit: Visit, _ state: LoginState, code: String, description: String?
    ) async -> GateAnswer {
        let removal = [LoginCookies.removal(state.transaction)]
        let failure = LoginFailure.refused(code: code, description: description)
        switch code {
        case "temporarily_unavailable", "login_required", "interaction_required":
            // Keycloak says the first when a form was sent twice: the other one has signed in.
            if visit.session(now: visit.arrival.now) != nil { return goOn(visit, state) }
            return await restart(visit, state, because: failure)
        case "server_error":
            return providerDown(visit, .answer(.providerTrouble(code)), target: state.target)
                .adding(cookies: removal)
        default:
            return fail(visit, failure, target: state.target, status: 403)
                .adding(cookies: removal)
        }
    }

    /// Redeems the code, once whatever happens: a second time makes Keycloak drop our session, and
    /// no logout is told to us any more.
    private func redeem(
        _ visit: Visit, _ state: LoginState, code: Secret, transaction: Secret,
        _ metadata: ProviderMetadata
    ) async -> GateAnswer {
        let now = clock.instant()
        let redemption: Redemptions.Redemption
        switch await redemptions.begin(
            code: code, login: transaction, peer: visit.arrival.peer, now: now)
        {
        case .begun(let begun): redemption = begun
        case .again:
            if visit.session(now: now) != nil { return goOn(visit, state) }
            return await restart(visit, state, because: .cookies)
        case .limited(let limit, let byPeer):
            return serveLimit(visit, state, limit, byPeer: byPeer)
        }
        let removal = [LoginCookies.removal(state.transaction)]
        let pkce = PKCE(transaction: transaction)
        let tokens: TokenResponse
        do throws(RedemptionError) {
            tokens = try await visit.provider.redeem(
                code: code, redirectURI: visit.url(OwnPath.callback), verifier: pkce.verifier,
                metadata: metadata)
        } catch {
            redemptions.end(redemption, error.verdict, now: clock.instant())
            return await serveRefusal(visit, state, error)
        }
        redemptions.end(redemption, .accepted, now: clock.instant())
        do throws(LoginStop) {
            let token = try await verify(tokens, visit, pkce: pkce, metadata)
            return try await enter(
                visit, state, token, transaction: transaction, idToken: tokens.idToken)
        } catch {
            switch error {
            case .trouble(let trouble):
                return providerDown(visit, trouble, target: state.target).adding(cookies: removal)
            case .token(let reason):
                return fail(
                    visit, .badAnswer, target: state.target, status: 502,
                    reason: reason.description
                ).adding(cookies: removal)
            case .username:
                return fail(visit, .username, target: state.target, status: 403)
                    .adding(cookies: removal)
            case .barred:
                return await restart(visit, state, because: .endedMeanwhile, asksAgain: true)
            case .otherProvider: return goOn(visit, state)
            case .records:
                return GateAnswer.page(.unavailable(retryAfter: 5), status: 503)
                    .adding(.retryAfter, "5").adding(cookies: removal)
            }
        }
    }

    /// The code is not redeemed, and the login stays good: the same address can be tried again.
    private func serveLimit(
        _ visit: Visit, _ state: LoginState, _ limit: String, byPeer: Bool
    ) -> GateAnswer {
        log.warning(
            "login_limited", ("limit", limit), ("host", visit.host.host),
            ("peer", visit.arrival.peer))
        return GateAnswer.page(
            .loginFailed(.busy, retry: visit.loginURL(state.target)), status: byPeer ? 429 : 503
        ).adding(.retryAfter, "5")
    }

    private func serveRefusal(
        _ visit: Visit, _ state: LoginState, _ error: RedemptionError
    ) async -> GateAnswer {
        let removal = [LoginCookies.removal(state.transaction)]
        switch error {
        case .trouble(let trouble):
            return providerDown(visit, trouble, target: state.target).adding(cookies: removal)
        case .refused(.invalidGrant):
            return await restart(
                visit, state, because: .refused(code: "invalid_grant", description: nil))
        case .refused(.credentialsRefused):
            log.error("the provider does not accept our client_id and client secret")
            return fail(visit, .credentials, target: state.target, status: 502)
                .adding(cookies: removal)
        case .refused(.providerTrouble(let text)):
            return providerDown(
                visit, .answer(.providerTrouble(text)), target: state.target
            ).adding(cookies: removal)
        case .refused(let reason):
            return fail(
                visit, .badAnswer, target: state.target, status: 502, reason: reason.description
            ).adding(cookies: removal)
        }
    }

    private func verify(
        _ tokens: TokenResponse, _ visit: Visit, pkce: PKCE, _ metadata: ProviderMetadata
    ) async throws(LoginStop) -> IDToken {
        let algorithms = metadata.algorithms
        let parsed: JWS
        do throws(OIDCError) {
            parsed = try IDToken.parse(tokens.idToken, algorithms: algorithms)
        } catch { throw .token(error) }
        let expected = IDToken.Expectation(
            issuer: visit.provider.options.issuer,
            clientID: visit.provider.options.credentials.clientID, nonce: pkce.nonce,
            accessToken: tokens.accessToken, algorithms: algorithms,
            skew: visit.limits.clockSkew)
        var isDoubted = false
        while true {
            let keys = try await keys(for: parsed, visit, isDoubted: isDoubted)
            do throws(OIDCError) {
                return try IDToken(
                    parsed, keys: keys, expecting: expected, now: clock.timestamp())
            } catch {
                guard error == .badSignature, !isDoubted else { throw .token(error) }
                isDoubted = true
            }
        }
    }

    private func keys(
        for token: JWS, _ visit: Visit, isDoubted: Bool
    ) async throws(LoginStop) -> JWKSet {
        do throws(ProviderTrouble) {
            return try await visit.provider.keys(
                for: token, of: .tokenEndpoint, isDoubted: isDoubted)
        } catch {
            guard case .answer(.unknownKey) = error else { throw .trouble(error) }
            throw .token(isDoubted ? .badSignature : .unknownKey)
        }
    }

    /// Makes the session and sends the browser to its target.
    private func enter(
        _ visit: Visit, _ state: LoginState, _ token: IDToken, transaction: Secret, idToken: Secret
    ) async throws(LoginStop) -> GateAnswer {
        if let name = token.preferredUsername, !Claims.isSafe(username: name) { throw .username }
        let identity = SessionIdentity(
            claims: Claims(
                username: token.preferredUsername, groups: token.groups,
                realmRoles: token.realmRoles, clientRoles: token.clientRoles),
            acr: token.acr, authTime: token.authTime, created: clock.timestamp(),
            idToken: idToken, tokenClaims: token.claims)
        let old = await leave(visit, for: token)
        var login = SessionStore.Login(
            issuer: token.issuer, subject: token.subject, sessionID: token.sessionID,
            host: visit.host.host, identity: identity,
            registration: visit.provider.options.registration)
        if state.asksAgain {
            login.askedAgain = .init(started: state.created, skew: visit.limits.clockSkew)
        }
        if token.sessionID == nil {
            login.browser = BrowserMarks(
                session: visit.owner, login: transaction,
                others: LoginCookies(visit.request.fields).transactions,
                limit: visit.limits.loginAttempts)
        }
        let insertion = store.insert(
            login, limits: visit.snapshot.options.session, now: clock.instant())
        let (session, cookie, ends): (Session, SessionCookie, [(Session, EndCause)])
        switch insertion {
        case .inserted(let made, let opening, let others):
            (session, cookie, ends) = (made, opening, others)
        case .barred: throw .barred
        case .otherProvider: throw .otherProvider
        }
        for (other, cause) in ends { _ = try? await end([other], cause) }
        do { try await records.commit(session) } catch {
            log.error("a session could not be kept", ("error", "\(error)"))
            _ = try? await end([session], .recordsFailed)
            throw .records
        }
        // The provider may have ended it while the records were written.
        if session.isEnded {
            _ = try? await records.end([session])
            throw .barred
        }
        log.notice(
            "login", ("user", session.displayName), ("host", session.host),
            ("peer", visit.arrival.peer))
        return .redirect(
            visit.origin.description + ReturnTarget.validated(Array(state.target.utf8)),
            cookies: [
                SetCookie.line(
                    ReservedCookies.session.description, cookie.value.revealText()),
                LoginCookies.removal(state.transaction),
                // Tabs that finish together count once.
                LoopCount(entries: visit.loop.entries + (old == nil ? 1 : 0)).line,
            ]
        ).adding(
            cookiesThatFit: old.map { $0 === session ? [] : Gate.removals(of: $0) } ?? [])
    }

    /// Ends the session that the browser had here, unless it is the one that is signed in again.
    ///
    /// - Returns: the one that it had.
    private func leave(_ visit: Visit, for token: IDToken) async -> Session? {
        guard let old = visit.session(now: clock.instant()) else { return nil }
        let isSameUser =
            sameBytes(old.subject, token.subject) && sameBytes(old.issuer, token.issuer)
        let isSameSession =
            switch (old.sessionID, token.sessionID) {
            case (nil, nil): true
            case (let old?, let new?): sameBytes(old, new)
            default: false
            }
        if isSameUser, isSameSession { return old }
        _ = try? await end(isSameUser ? [old] : store.family(of: old), .switchedUser)
        return old
    }

    private func goOn(_ visit: Visit, _ state: LoginState) -> GateAnswer {
        .redirect(
            visit.origin.description + ReturnTarget.validated(Array(state.target.utf8)),
            cookies: [LoginCookies.removal(state.transaction)])
    }
}

/// Why a redeemed code becomes no session.
private enum LoginStop: Error {
    case trouble(ProviderTrouble)
    case token(OIDCError)
    case username
    /// The provider has ended this login.
    case barred
    /// The settings have changed: the target asks the provider that is in force.
    case otherProvider
    case records
}
