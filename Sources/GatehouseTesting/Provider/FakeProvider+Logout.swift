public import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC
import Synchronization

/// The ways out: the browser's (OpenID Connect RP-Initiated Logout 1.0), an administrator's, and
/// what clients are told (Back-Channel Logout 1.0).
extension FakeProvider {
    /// What an ID token names that came as a hint.
    private struct Hint {
        let client: FakeClient
        let sid: String
    }

    func endSession(_ request: ReceivedRequest) async -> Response {
        guard let fields = parameters(request) else {
            return ProviderPages.problem(400, "We are sorry…", "Invalid request")
        }
        if let word = fields["session_code"], request.method == "POST" {
            return await confirm(word, request)
        }
        var hint: Hint?
        if let text = fields["id_token_hint"] {
            hint = read(hint: text)
            guard let hint, fields["client_id"].map({ $0 == hint.client.id }) ?? true else {
                return ProviderPages.problem(
                    400, "We are sorry…", "Invalid parameter: id_token_hint")
            }
        }
        if let uri = fields["post_logout_redirect_uri"] {
            guard let client = hint?.client ?? client(fields["client_id"]) else {
                return ProviderPages.problem(
                    400, "We are sorry…", "Missing parameters: id_token_hint")
            }
            guard client.postLogoutRedirectURIs.contains(uri) else {
                return ProviderPages.problem(400, "We are sorry…", "Invalid redirect uri")
            }
        }
        let own = session(request)
        // The token alone is a key to the logout of its session, but not to that of another.
        guard let hint, own.map({ $0.sid == hint.sid }) ?? true else {
            return askFirst(fields, own)
        }
        await endSession(sid: hint.sid)
        return loggedOut(fields)
    }

    private func askFirst(_ fields: FormFields, _ session: ProviderSession?) -> Response {
        let word = FakeProvider.random()
        state.withLock { $0.confirmations[word] = fields }
        return ProviderPages.confirmLogout(
            action: path + "/protocol/openid-connect/logout", word: word,
            username: session?.user.username)
    }

    private func confirm(_ word: String, _ request: ReceivedRequest) async -> Response {
        guard let fields = state.withLock({ $0.confirmations.removeValue(forKey: word) }) else {
            return ProviderPages.problem(
                400, "We are sorry…", "This page is too old. Go back and try again.")
        }
        if let session = session(request) { await endSession(sid: session.sid) }
        return loggedOut(fields)
    }

    private func loggedOut(_ fields: FormFields) -> Response {
        guard let uri = fields["post_logout_redirect_uri"] else {
            var page = ProviderPages.loggedOut()
            page.head.fields.append(.setCookie, cookieLine(nil))
            return page
        }
        let state = fields["state"].map { "?" + FormFields.encode([("state", $0)]) } ?? ""
        var response = Response(302)
        response.head.fields.append(.location, uri + state)
        response.head.fields.append(.setCookie, cookieLine(nil))
        response.head.fields.append(.cacheControl, "no-store")
        return response
    }

    /// What an ID token of ours names; an expired one is as good.
    private func read(hint text: String) -> Hint? {
        do throws(OIDCError) {
            let token = try JWS(
                parsing: Array(text.utf8), allowed: Set(SignatureAlgorithm.allCases))
            let keys = try JWKSet(parsing: keySet().body, maximumSize: 1 << 20)
            let claims = try token.verifiedClaims(with: keys)
            guard claims["typ"]?.string == "ID", let client = client(claims["aud"]?.string),
                let sid = claims["sid"]?.string
            else { return nil }
            return Hint(client: client, sid: sid)
        } catch { return nil }
    }

    // MARK: An administrator's acts

    /// Ends one session, after its clients have been told.
    public func endSession(sid: String) async {
        guard let session = state.withLock({ $0.sessions[sid] }) else { return }
        await tell(session.clients, sid: sid, subject: session.user.subject)
        forgetSession(sid: sid)
    }

    /// Ends all sessions of a user, one after the other.
    public func logOut(_ username: String) async {
        let ids = state.withLock { state in
            state.sessions.values.filter { $0.user.username == username }.map(\.sid).sorted()
        }
        for sid in ids { await endSession(sid: sid) }
    }

    /// Ends one session without telling anybody, as an idle limit does at Keycloak.
    public func forgetSession(sid: String) {
        state.withLock { state in
            state.sessions[sid] = nil
            state.cookies = state.cookies.filter { $0.value != sid }
        }
    }

    // MARK: Logout tokens

    /// A logout token as Keycloak writes it, or one that is wrong on purpose.
    ///
    /// - Parameters:
    ///   - client: the audience.
    ///   - sid: nil: none.
    ///   - subject: nil: none.
    ///   - claims: put in after everything else; null removes one.
    ///   - header: as `claims`, for the header.
    ///   - signer: nil for the one that signs now.
    public func mintLogoutToken(
        client: String, sid: String?, subject: String?, claims: [String: JSONValue] = [:],
        header: [String: JSONValue] = [:], signer: TokenSigner? = nil
    ) -> String {
        let now = options.clock().seconds.rounded(.down)
        var all: [String: JSONValue] = [
            "iss": .string(options.issuer), "aud": .string(client), "typ": "Logout",
            "iat": .number(now), "exp": .number(now + 120),
            "jti": .string(FakeProvider.random()),
            "events": ["http://schemas.openid.net/event/backchannel-logout": [:]],
        ]
        all["sid"] = sid.map(JSONValue.string)
        all["sub"] = subject.map(JSONValue.string)
        for (name, value) in claims { all[name] = value == .null ? nil : value }
        var fields: [String: JSONValue] = ["typ": "logout+jwt"]
        for (name, value) in header { fields[name] = value }
        return (signer ?? self.signer).token(.object(all), header: fields)
    }
}
