import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC

/// Signing out by the user: here first, then at the provider.
extension Gate {
    /// A token that makes `GET /.gatehouse/logout?token=` act at once: for a redirect of ours
    /// after somebody has asked to be signed out. Good for five minutes and one session.
    public func logoutToken(for session: Session) -> String {
        FormToken.makeLink(for: session.tag, now: clock.timestamp(), key: keys.forms)
    }

    func serveLogout(_ visit: Visit) async -> GateAnswer {
        visit.request.method == .post
            ? await postLogout(visit) : await getLogout(visit)
    }

    /// Acts at once for a link of the application that a person followed, and for our own token;
    /// asks everybody else.
    private func getLogout(_ visit: Visit) async -> GateAnswer {
        let isNavigation = FetchMetadata.isNavigation(visit.request)
        guard let session = visit.session(now: visit.arrival.now) else {
            if let before = visit.signedOut(now: visit.arrival.now),
                isAskedByLink(visit, before.tag)
            {
                return await finish(visit, before)
            }
            return isNavigation
                ? nobodyToSignOut(visit)
                : visit.snapshot.refuse(
                    visit.request, .crossSite)
        }
        if isAskedByLink(visit, session.tag) { return await signOut(visit, session) }
        // An image, a frame, a prefetch: nobody reads a question there.
        guard isNavigation else { return visit.snapshot.refuse(visit.request, .crossSite) }
        return confirm(visit, session, status: 200)
    }

    /// Whether a link does without our question: with our own token, or followed by a person's hand on
    /// a page of this origin.
    private func isAskedByLink(_ visit: Visit, _ tag: [UInt8]) -> Bool {
        if let token = visit.parameter("token"), !FetchMetadata.isPrefetch(visit.request),
            FormToken.isValidLink(token, for: tag, now: clock.timestamp(), key: keys.forms)
        {
            return true
        }
        return FetchMetadata.isPersonalSameOriginNavigation(visit.request)
    }

    /// Acts for a form of ours, and for a script of this origin that has read the token.
    private func postLogout(_ visit: Visit) async -> GateAnswer {
        let origin = visit.host.text
        guard FetchMetadata.mayBeOwnForm(visit.request.fields, of: origin) else {
            return visit.snapshot.refuse(visit.request, .crossSite)
        }
        let tokens = FormFields(parsing: visit.body)?.all(named: "csrf") ?? []
        func isProven(_ tag: [UInt8]) -> Bool {
            tokens.count == 1 && FormToken.isValid(tokens[0], .form, for: tag, key: keys.forms)
        }
        guard let session = visit.session(now: visit.arrival.now) else {
            if let before = visit.signedOut(now: visit.arrival.now), isProven(before.tag) {
                return await finish(visit, before)
            }
            // A form of another site comes without the cookie that the browser may well have.
            let isOurs = FetchMetadata.isOwnForm(visit.request.fields, of: origin)
            return nobodyToSignOut(visit).adding(cookies: isOurs ? Gate.forgetting() : [])
        }
        guard isProven(session.tag) else { return confirm(visit, session, status: 403) }
        return await signOut(visit, session)
    }

    private func confirm(_ visit: Visit, _ session: Session, status: Int) -> GateAnswer {
        .page(
            .confirmLogout(
                username: session.displayName, action: "\(OwnPath.logout)",
                token: Secret(FormToken.make(.form, for: session.tag, key: keys.forms))),
            status: status)
    }

    /// Local end, cookies, provider: in this order, and the first two whatever the third does.
    private func signOut(_ visit: Visit, _ session: Session) async -> GateAnswer {
        let signedOut = SignedOut(session, provider: visit.provider.options)
        visit.remember(signedOut, in: signOuts, now: clock.instant())
        do { try await endHere(session, visit.snapshot) } catch {
            return GateAnswer.page(.unavailable(retryAfter: 5), status: 503)
                .adding(.retryAfter, "5").adding(cookies: Gate.forgetting())
                .adding(cookiesThatFit: signedOut.removals)
        }
        return await finish(visit, signedOut)
    }

    /// Ends the session of a log out at JupyterHub from which the browser did not come on to ours, as
    /// its tab was closed: the Hub has had its log out.
    public func endUnfollowed(_ session: Session) async {
        guard !session.isEnded else { return }
        _ = try? await endHere(session, snapshot)
    }

    private func endHere(_ session: Session, _ snapshot: GateSnapshot) async throws {
        var sessions = store.family(of: session)
        if let sid = session.sessionID {
            // The provider's session is about to end; until it has, it would sign in again by
            // itself whoever asks.
            sessions = store.bury(
                issuer: session.issuer, subject: nil, sessionID: sid, .here(clock.timestamp()),
                until: clock.instant() + snapshot.options.session.tombstone)
        }
        try await end(sessions, .signOut)
    }

    /// What follows the local end; once more for who asks once more.
    private func finish(_ visit: Visit, _ signedOut: SignedOut) async -> GateAnswer {
        // Whoever issued it may see it; nobody else.
        let isOurs = signedOut.registration == visit.provider.options.registration
        return await leaveProvider(visit, idToken: isOurs ? signedOut.idToken : nil)
            .adding(cookies: Gate.forgetting())
            .adding(cookiesThatFit: signedOut.removals)
    }

    /// Sends the browser to the provider's end of session; says so where that cannot be.
    private func leaveProvider(_ visit: Visit, idToken: Secret?) async -> GateAnswer {
        let metadata: ProviderMetadata
        do throws(ProviderTrouble) {
            metadata = try await visit.provider.metadata()
        } catch {
            return signedOut(visit, .mayBeAlive(end: nil))
        }
        guard let endpoint = metadata.endSessionEndpoint else {
            return signedOut(visit, .cannotBeEnded)
        }
        guard await visit.provider.answers() else {
            return signedOut(visit, .mayBeAlive(end: endSessionURL(visit)))
        }
        let request = EndSession(
            endpoint: endpoint, clientID: visit.provider.options.credentials.clientID,
            idTokenHint: idToken, postLogoutRedirectURI: visit.url(OwnPath.loggedOut), state: nil)
        switch request.answer {
        case .redirect(let url): return .redirect(url.revealText())
        case .form(let action, let fields):
            return .page(.endSession(action: action, fields: fields), status: 200)
        }
    }

    /// Where the browser comes back to after the provider's logout; signs nobody in. Who is signed in
    /// all the same, since another tab was faster or somebody typed the address, is not told otherwise.
    func serveLoggedOut(_ visit: Visit) -> GateAnswer {
        if let session = visit.session(now: visit.arrival.now) {
            return confirm(visit, session, status: 200)
        }
        return signedOut(visit, .ended)
    }

    private func nobodyToSignOut(_ visit: Visit) -> GateAnswer {
        signedOut(visit, .unknown(end: endSessionURL(visit)))
    }

    private func signedOut(_ visit: Visit, _ provider: Page.ProviderSession) -> GateAnswer {
        .page(.signedOut(provider, signIn: visit.loginURL("/")), status: 200)
    }

    /// Without an ID token the provider asks the person; nil while it is not known.
    private func endSessionURL(_ visit: Visit) -> String? {
        guard let endpoint = visit.provider.knownMetadata?.endSessionEndpoint else { return nil }
        let request = EndSession(
            endpoint: endpoint, clientID: visit.provider.options.credentials.clientID,
            idTokenHint: nil, postLogoutRedirectURI: visit.url(OwnPath.loggedOut), state: nil)
        guard case .redirect(let url) = request.answer else { return nil }
        return url.revealText()
    }

    /// Set-Cookie lines that leave nothing of ours in the browser but logins in progress.
    private static func forgetting() -> [String] {
        [SetCookie.removal(ReservedCookies.session.description), LoopCount.removal]
    }

    /// Set-Cookie lines for JupyterHub's cookies of a session, and for the `_xsrf` that stands
    /// beside each: as many as fit. What is left opens nothing, since its session has ended; so
    /// the Hub's come first, and then the shortest, or long ones that one server has set would
    /// keep out all others.
    static func removals(of session: Session) -> [String] {
        let (hub, others) = session.pinnedCookies
        guard !hub.isEmpty || !others.isEmpty else { return [] }
        let hubPaths = Set(hub.map(\.path)).union([Array("/".utf8)])
        let otherPaths = Set(others.map(\.path)).subtracting(hubPaths)
        func xsrf(_ paths: Set<[UInt8]>) -> [PinSet.Place] {
            paths.map { PinSet.Place(name: Array("_xsrf".utf8), path: $0) }
        }
        return [hub, xsrf(hubPaths), Array(Set(others)), xsrf(otherPaths)].flatMap { places in
            places.map { SetCookie.removal(of: $0.name, path: $0.path) }
                .sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
        }
    }
}
