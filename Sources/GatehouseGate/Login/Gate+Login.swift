import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC

/// How a login begins. It keeps nothing here: what must come back is sealed into `state`, what
/// binds it to the browser is one small cookie per tab.
extension Gate {
    /// A navigation that needs a session.
    func serveStart(_ visit: Visit) async -> GateAnswer {
        let target = ReturnTarget.validated(visit.request.target().array)
        // Signed in more than once within a minute, and still without session: its cookie does
        // not stick, and another round would not help.
        if visit.loop.entries > visit.limits.loopRestarts * 2 {
            log.notice("login_denied", ("reason", "loop"), ("host", visit.host.host))
            return .page(.loginFailed(.cookies, retry: visit.loginURL(target)), status: 403)
        }
        return await startLogin(visit, target: target, restarts: 0)
    }

    /// `/.gatehouse/login?rd=`: a person asks for it.
    func serveLogin(_ visit: Visit) async -> GateAnswer {
        let target = ReturnTarget.validated(visit.parameter("rd"))
        guard FetchMetadata.isNavigation(visit.request) else {
            return visit.snapshot.askForLogin(visit.request, visit.origin)
        }
        if visit.session(now: visit.arrival.now) != nil {
            return .redirect(visit.origin.description + target)
        }
        return await startLogin(visit, target: target, restarts: 0)
            .adding(cookies: visit.loop.isZero ? [] : [LoopCount.removal])
    }

    /// Sends the browser to the provider.
    ///
    /// - Parameters:
    ///   - visit: the request.
    ///   - target: validated.
    ///   - restarts: of this login so far.
    ///   - asksAgain: the provider shall ask for the password, whatever its cookie says.
    func startLogin(
        _ visit: Visit, target: String, restarts: Int, asksAgain: Bool = false
    ) async -> GateAnswer {
        let metadata: ProviderMetadata
        do throws(ProviderTrouble) {
            metadata = try await visit.provider.metadata()
        } catch {
            return providerDown(visit, error, target: target)
        }
        let now = clock.timestamp()
        let transaction = LoginCookies.Transaction(
            id: LoginCookies.newID(now: now), secret: .random(count: 32))
        let state = LoginState(
            transaction: transaction.id, created: now,
            issuer: LoginState.tag(issuer: visit.provider.options.issuer), host: visit.host.host,
            target: target, restarts: restarts, asksAgain: asksAgain)
        let request = AuthorizationRequest(
            clientID: visit.provider.options.credentials.clientID,
            redirectURI: visit.url(OwnPath.callback), scopes: visit.provider.scopes,
            state: state.sealed(with: keys.transaction, maximum: visit.limits.stateLength),
            pkce: PKCE(transaction: transaction.secret), prompt: asksAgain ? "login" : nil)
        var cookies = LoginCookies(visit.request.fields)
            .makingRoom(limit: visit.limits.loginAttempts)
        cookies.append(LoginCookies.line(transaction, lifetime: visit.limits.loginTime))
        if restarts > 0 {
            cookies.append(LoopCount(restarts: restarts, entries: visit.loop.entries).line)
        }
        return .redirect(
            request.url(endpoint: metadata.authorizationEndpoint), cookies: cookies)
    }

    /// Starts a login again that cannot go on, or says why after the second time.
    func restart(
        _ visit: Visit, _ state: LoginState, because failure: LoginFailure, asksAgain: Bool = false
    ) async -> GateAnswer {
        let removal = [LoginCookies.removal(state.transaction)]
        let count = max(visit.loop.restarts, state.restarts)
        guard count < visit.limits.loopRestarts else {
            return fail(visit, failure, target: state.target, status: 400)
                .adding(cookies: removal + [LoopCount.removal])
        }
        return await startLogin(
            visit, target: state.target, restarts: count + 1, asksAgain: asksAgain
        ).adding(cookies: removal)
    }

    /// The page that says why a login came to nothing.
    func fail(
        _ visit: Visit, _ failure: LoginFailure, target: String, status: Int, reason: String? = nil
    ) -> GateAnswer {
        log.notice(
            "login_denied", ("reason", reason ?? failure.word), ("host", visit.host.host),
            ("peer", visit.arrival.peer))
        return .page(
            .loginFailed(failure, retry: visit.loginURL(target)), status: status)
    }

    func providerDown(_ visit: Visit, _ trouble: ProviderTrouble, target: String) -> GateAnswer {
        log.warning("the provider is in trouble", ("trouble", trouble.text))
        return GateAnswer.page(.providerDown(retry: visit.loginURL(target)), status: 503)
            .adding(.retryAfter, "5")
    }
}

extension LoginFailure {
    /// For a log line.
    var word: String {
        switch self {
        case .malformed: "malformed"
        case .cookies: "cookies"
        case .tooOld: "too_old"
        case .refused(let code, _): code
        case .badAnswer: "bad_answer"
        case .credentials: "credentials"
        case .username: "username"
        case .endedMeanwhile: "ended_meanwhile"
        case .busy: "busy"
        }
    }
}
