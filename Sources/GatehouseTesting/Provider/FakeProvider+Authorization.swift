import GatehouseBase
import GatehouseHTTP
import Synchronization

/// The browser's way in (OpenID Connect Core §3.1.2), with Keycloak's words for what is wrong.
extension FakeProvider {
    func authorize(_ request: ReceivedRequest) -> Response {
        guard let fields = parameters(request), let client = client(fields["client_id"]) else {
            return ProviderPages.problem(400, "We are sorry…", "Client not found.")
        }
        guard let redirectURI = fields["redirect_uri"], client.redirectURIs.contains(redirectURI)
        else {
            return ProviderPages.problem(
                400, "We are sorry…", "Invalid parameter: redirect_uri")
        }
        // Keycloak drops what is longer, and says nothing.
        let state = fields["state"].flatMap { $0.utf8.count <= 4000 ? $0 : nil }
        if let (code, text) = problem(fields) {
            return callBack(
                redirectURI,
                [("error", code), ("error_description", text)], state: state)
        }
        let asked = AuthorizationParameters(
            clientID: client.id, redirectURI: redirectURI, scope: fields["scope"] ?? "",
            state: state, nonce: fields["nonce"], challenge: fields["code_challenge"] ?? "")
        let prompt = fields["prompt"]
        guard let session = session(request) else {
            guard prompt != "none" else {
                return callBack(redirectURI, [("error", "login_required")], state: state)
            }
            return loginPage(asked)
        }
        let age = options.clock() - session.authenticated
        let isTooOld = fields["max_age"].flatMap { Int($0) }.map { age > .seconds($0) } ?? false
        if prompt == "login" || isTooOld, prompt != "none" {
            return loginPage(asked, fixedUser: session.user.username)
        }
        guard !isTooOld else {
            return callBack(redirectURI, [("error", "login_required")], state: state)
        }
        return giveCode(asked, session, isFresh: false, cookie: nil)
    }

    private func problem(_ fields: FormFields) -> (code: String, text: String)? {
        let names = fields.entries.map(\.name)
        if Set(names).count < names.count {
            return ("invalid_request", "duplicated parameter")
        }
        guard fields["response_type"] == "code" else {
            return ("unsupported_response_type", "response_type must be code")
        }
        guard let method = fields["code_challenge_method"] else {
            return ("invalid_request", "Missing parameter: code_challenge_method")
        }
        guard method == "S256" else {
            return (
                "invalid_request",
                "Invalid parameter: code challenge method is not matching the configured one"
            )
        }
        guard let challenge = fields["code_challenge"], challenge.utf8.count == 43 else {
            return ("invalid_request", "Missing parameter: code_challenge")
        }
        guard (fields["scope"] ?? "").split(separator: " ").contains("openid") else {
            return ("invalid_scope", "Invalid scopes")
        }
        return nil
    }

    private func loginPage(
        _ asked: AuthorizationParameters, fixedUser: String? = nil
    ) -> Response {
        let id = FakeProvider.random()
        state.withLock { $0.logins[id] = PendingLogin(request: asked, fixedUser: fixedUser) }
        return ProviderPages.login(
            action: action(id), client: asked.clientID, fixedUser: fixedUser, problem: nil,
            hint: options.hint)
    }

    private func action(_ id: String) -> String {
        "\(path)/login-actions/authenticate?session_code=\(id)"
    }

    /// The login form comes back.
    func logIn(_ request: ReceivedRequest) -> Response {
        let id = FormFields(parsing: Array(request.query.utf8))?["session_code"] ?? ""
        guard let login = state.withLock({ $0.logins[id] }) else {
            return ProviderPages.problem(
                400, "We are sorry…", "Your login attempt timed out. Go back and try again.")
        }
        let asked = login.request
        guard !login.isDone else {
            return callBack(
                asked.redirectURI,
                [
                    ("error", "temporarily_unavailable"),
                    ("error_description", "authentication_expired"),
                ], state: asked.state)
        }
        let form = FormFields(parsing: request.body)
        let name = login.fixedUser ?? form?["username"]
        let user = options.users.first { $0.username == name }
        guard let user, form?["password"] == user.password else {
            return ProviderPages.login(
                action: action(id), client: asked.clientID, fixedUser: login.fixedUser,
                problem: "Invalid username or password.", hint: options.hint)
        }
        let known = session(request)
        if let known, known.user.username != user.username {
            return ProviderPages.problem(
                400, "We are sorry…",
                "You are already authenticated as different user '\(known.user.username)' in this"
                    + " session. Please sign out first.")
        }
        let now = options.clock()
        let cookie = FakeProvider.random(32)
        let session = state.withLock { state in
            state.logins[id]?.isDone = true
            var session =
                known
                ?? ProviderSession(sid: FakeProvider.random(), user: user, authenticated: now)
            session.authenticated = now
            state.sessions[session.sid] = session
            state.cookies[cookie] = session.sid
            return session
        }
        return giveCode(asked, session, isFresh: true, cookie: cookie)
    }

    /// Sends the browser back with a code, which discloses the `sid` as Keycloak's does.
    private func giveCode(
        _ asked: AuthorizationParameters, _ session: ProviderSession, isFresh: Bool,
        cookie: String?
    ) -> Response {
        let code = "\(FakeProvider.random(24)).\(session.sid).\(asked.clientID)"
        let issued = IssuedCode(
            request: asked, sid: session.sid, user: session.user,
            authenticated: session.authenticated, isFresh: isFresh, created: options.clock())
        state.withLock { state in
            state.codes[code] = issued
            if state.sessions[session.sid]?.clients.contains(asked.clientID) == false {
                state.sessions[session.sid]?.clients.append(asked.clientID)
            }
        }
        var response = callBack(
            asked.redirectURI, [("session_state", session.sid), ("code", code)],
            state: asked.state)
        if let cookie { response.head.fields.append(.setCookie, cookieLine(cookie)) }
        return response
    }

    /// A redirect to a client, with `state` and `iss` (RFC 9207).
    private func callBack(
        _ redirectURI: String, _ fields: [(String, String)], state asked: String?
    ) -> Response {
        var all = fields
        if let asked { all.append(("state", asked)) }
        all.append(("iss", options.issuer))
        for (name, value) in state.withLock({ $0.mischief.callback }) {
            all.removeAll { $0.0 == name }
            if let value { all.append((name, value)) }
        }
        var response = Response(302)
        let separator = redirectURI.contains("?") ? "&" : "?"
        response.head.fields.append(
            .location, redirectURI + separator + FormFields.encode(all))
        response.head.fields.append(.cacheControl, "no-store")
        return response
    }
}
