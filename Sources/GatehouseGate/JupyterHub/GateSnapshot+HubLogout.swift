import GatehouseBase
import GatehouseHTTP

/// `/hub/logout` is the full logout: JupyterHub's button and JupyterLab's menu lead there.
///
/// The Hub is asked first, with its cookies, so that it knows whom to log out; whatever it answers,
/// the browser is sent on to ours. That happens where a person pressed something on a page of this
/// origin. Who comes another way is asked first, and what is no person ends nothing.
extension GateSnapshot {
    /// The parameter that carries the proof that somebody has pressed the button of our question.
    /// It is one in this spelling only, and nobody but us sees it, wherever it comes.
    private static var logoutParameter: StaticString { "gatehouse_logout" }

    /// How long the Hub may take.
    private static let patience = Duration.seconds(2)

    /// - Returns: nil where the request is JupyterHub's own business, as a script's of this origin.
    func hubLogout(
        _ request: borrowing RequestHead, _ found: (Session, SessionIdentity)?,
        _ visitor: Visitor
    ) -> HubLogout? {
        guard request.method == .get || request.method == .post else { return nil }
        guard let (session, _) = found else {
            // Nobody to log out: signing in for it would be absurd. Who asks twice is answered twice.
            guard FetchMetadata.isDocument(request) else { return nil }
            let signedOut = signedOut(of: request, visitor.arrival, host: visitor.host)
            let again = signedOut.flatMap { isAskedAtHub(request, $0.tag) ? $0.tag : nil }
            return .answer(goToLogout(again))
        }
        if FetchMetadata.isPrefetch(request) { return .answer(refuse(request, .crossSite)) }
        if isAskedAtHub(request, session.tag) { return .whole }
        switch FetchMetadata.site(request.fields) {
        case .sameOrigin: return nil
        case .elsewhere where !FetchMetadata.isDocument(request):
            return .answer(refuse(request, .crossSite))
        case .elsewhere, .person:
            return .answer(askBeforeHubLogout(request, session))
        case .unknown:
            return .answer(
                FetchMetadata.acceptsHTML(request)
                    ? askBeforeHubLogout(request, session) : refuse(request, .crossSite))
        }
    }

    /// Whether a person has asked for it on a page of this origin, or by the button of our question.
    /// JupyterLab's menu goes there by script, so that no hand (`Sec-Fetch-User`) is asked for.
    private func isAskedAtHub(_ request: borrowing RequestHead, _ tag: [UInt8]) -> Bool {
        if FetchMetadata.isPrefetch(request) { return false }
        if let token = logoutToken(request),
            FormToken.isValidLink(token, for: tag, now: clock.timestamp(), key: keys.forms)
        {
            return true
        }
        return FetchMetadata.site(request.fields) == .sameOrigin
            && FetchMetadata.isDocument(request)
    }

    /// What is to become of a request to log out.
    enum HubLogout {
        case answer(GateAnswer)
        case whole
    }

    /// Makes a passage the whole logout. From here on the session ends: when the browser comes on to
    /// ours, or a moment after the Hub where it does not (``Gate/endUnfollowed(_:)``), and what comes
    /// after that finds the way to the provider all the same.
    func makeWhole(
        _ passage: inout Passage, _ session: Session, _ request: borrowing RequestHead,
        _ arrival: Arrival
    ) {
        if let provider, let place = place(of: request, arrival) {
            signOuts.remember(
                SignedOut(session, provider: provider.options), request.fields.cookie(at: place),
                now: arrival.now)
        }
        if case .response(let response) = goToLogout(session.tag) {
            passage.substitute = Substitute(response, after: GateSnapshot.patience)
        }
    }

    private func goToLogout(_ tag: [UInt8]?) -> GateAnswer {
        let token = tag.map {
            "?token=" + FormToken.makeLink(for: $0, now: clock.timestamp(), key: keys.forms)
        }
        return .redirect("\(OwnPath.logout)\(token ?? "")", status: 303)
    }

    private func askBeforeHubLogout(
        _ request: borrowing RequestHead, _ session: Session
    ) -> GateAnswer {
        let token = FormToken.makeLink(for: session.tag, now: clock.timestamp(), key: keys.forms)
        return .page(
            .confirmHubLogout(
                username: session.displayName,
                // To the address of the page itself: that of another path could begin with `//`.
                link: "?\(GateSnapshot.logoutParameter)=\(token)"),
            status: 200)
    }

    /// The only value of the parameter; nil where there are none or several.
    private func logoutToken(_ request: borrowing RequestHead) -> String? {
        guard holdsToken(request) else { return nil }
        let values = parts(of: request).filter { isToken($0.span) }
        guard values.count == 1 else { return nil }
        let count = GateSnapshot.logoutParameter.utf8CodeUnitCount
        return String(decoding: values[0].dropFirst(count + 1), as: UTF8.self)
    }

    /// Whether our parameter is in the query; of most requests this is a short scan.
    func holdsToken(_ request: borrowing RequestHead) -> Bool {
        let query = request.query()
        var start = 0
        while start < query.count {
            let end = query.offset(of: UInt8(ascii: "&"), from: start)
            if isToken(query.extracting(start..<end)) { return true }
            start = end + 1
        }
        return false
    }

    /// The target without the parameter.
    func withoutToken(_ request: borrowing RequestHead) -> [UInt8] {
        let kept = parts(of: request).filter { !isToken($0.span) }
        let rest = Array(kept.joined(separator: [UInt8(ascii: "&")]))
        return request.path().array + (rest.isEmpty ? [] : [UInt8(ascii: "?")] + rest)
    }

    private func parts(of request: borrowing RequestHead) -> [[UInt8]] {
        request.query().array
            .split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
            .map { Array($0) }
    }

    /// Whether a part of a query is the parameter.
    private func isToken(_ part: borrowing Span<UInt8>) -> Bool {
        let name = GateSnapshot.logoutParameter
        let count = name.utf8CodeUnitCount
        guard part.count >= count, part.extracting(0..<count).equals(name) else { return false }
        return part.count == count || part[count] == UInt8(ascii: "=")
    }
}
