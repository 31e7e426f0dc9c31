import GatehouseBase
import GatehouseHTTP

/// What the gate says to those whom it does not let pass: a page to a person, JSON to a program.
extension GateSnapshot {
    enum Refusal {
        case misdirected, invalidPath, ambiguousPath, notFound, methodNotAllowed, crossSite
        case identityTooLarge, feignedWebSocket
    }

    func refuse(_ request: borrowing RequestHead, _ refusal: Refusal) -> GateAnswer {
        switch refusal {
        case .misdirected:
            answer(request, 421, "misdirected", .misdirected(host: request.fields.text(.host)))
        case .invalidPath:
            answer(request, 400, "invalid_path", .badRequest("The address is not well-formed."))
        case .ambiguousPath:
            answer(
                request, 400, "ambiguous_path",
                .badRequest("The address can be read in more than one way."))
        case .notFound: answer(request, 404, "not_found", .notFound)
        case .methodNotAllowed:
            answer(request, 405, "method_not_allowed", .methodNotAllowed(allowed: ""))
        case .crossSite: answer(request, 403, "cross_site", .crossSite)
        case .feignedWebSocket:
            answer(
                request, 400, "no_websocket",
                .badRequest("The request says that it opens a WebSocket, and opens none."))
        case .identityTooLarge: answer(request, 500, "identity_too_large", .identityTooLarge)
        }
    }

    /// No rule lets them in; the same whether a route exists or not.
    func deny(_ request: borrowing RequestHead, _ session: Session?) -> GateAnswer {
        answer(request, 403, "denied", .denied(username: session?.displayName))
    }

    /// For what is no navigation: a script can say what to do, a redirect it could only follow. A
    /// person who sent a form reads it on a page, since a login would lose the form.
    func askForLogin(_ request: borrowing RequestHead, _ origin: Origin) -> GateAnswer {
        let url = "\(origin)\(OwnPath.login)"
        let answer =
            FetchMetadata.isDocument(request)
            ? GateAnswer.page(.notSignedIn(signIn: url), status: 401)
            : GateAnswer.json(
                401,
                #"{"error":"login_required","login_url":"\#(url)","#
                    + #""message":"You are signed out. Sign in in another tab, then try again."}"#)
        return answer.adding(.xGatehouseLogin, url)
            // A 401 must have one (RFC 9110 §15.5.2); browsers ask nobody for a scheme of this name.
            .adding(.wwwAuthenticate, "Gatehouse")
    }

    /// Without TLS no cookie is read or set.
    func sendToTLS(_ request: borrowing RequestHead, host: Int?) -> GateAnswer {
        guard let origin = host.map({ hosts.entries[$0].origin }) ?? options.publicURLs.first
        else { return refuse(request, .misdirected) }
        if FetchMetadata.isNavigation(request), let target = request.target().text {
            return .redirect(origin.description + target, status: 307)
        }
        return answer(request, 421, "tls_required", .plainHTTP(publicURL: origin.description))
    }

    /// A front that is not trusted, or that does not tell the scheme, would be redirected for ever:
    /// one is known by its fields, by its address, or by HTTP/1.0, nginx's default.
    func refuseFrontFields(
        _ request: borrowing RequestHead, _ arrival: Arrival
    ) -> GateAnswer? {
        guard arrival.front != .withScheme else { return nil }
        var names: [String] = []
        for index in request.fields.indices {
            let name = request.fields[index].resembles
            guard GateSnapshot.isFrontField(name), !names.contains(name.spelling.description)
            else { continue }
            names.append(name.spelling.description)
        }
        if arrival.front == .withoutScheme {
            return answer(request, 400, "front_without_scheme", .frontWithoutScheme(fields: names))
        }
        guard !names.isEmpty || request.version == .http10 else { return nil }
        return answer(
            request, 400, "untrusted_front", .untrustedFront(peer: arrival.peer, fields: names))
    }

    private static func isFrontField(_ name: FieldName) -> Bool {
        switch name {
        case .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedPort,
            .xForwardedServer, .xForwardedSSL, .xForwardedScheme, .xRealIP, .xScheme,
            .cfConnectingIP, .cfVisitor, .trueClientIP, .cfAccessJWTAssertion, .cfAccessEmail:
            true
        default: false
        }
    }

    private func answer(
        _ request: borrowing RequestHead, _ status: Int, _ code: StaticString, _ page: Page
    ) -> GateAnswer {
        FetchMetadata.acceptsHTML(request)
            ? .page(page, status: status) : .json(status, #"{"error":"\#(code)"}"#)
    }
}

extension Endpoint {
    /// The endpoint at a plain path below `/.gatehouse`, and the methods that it serves.
    static func find(_ path: borrowing Span<UInt8>) -> (Endpoint, [Method])? {
        if path.equals(OwnPath.login) { return (.login, [.get]) }
        if path.equals(OwnPath.callback) { return (.callback, [.get]) }
        if path.equals(OwnPath.logout) { return (.logout, [.get, .post]) }
        if path.equals(OwnPath.loggedOut) { return (.loggedOut, [.get, .head]) }
        if path.equals(OwnPath.session) { return (.session, [.get, .head]) }
        return nil
    }
}
