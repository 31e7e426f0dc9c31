import GatehouseBase
import GatehouseHTTP
import GatehouseOIDC
import Synchronization

/// The token endpoint (RFC 6749 §4.1.3, OpenID Connect Core §3.1.3) and what it signs.
extension FakeProvider {
    func token(_ request: ReceivedRequest) -> Response {
        let form = FormFields(parsing: request.body)
        guard let client = authenticated(request, form) else {
            return FakeProvider.error(
                401, "unauthorized_client", "Invalid client or Invalid client credentials")
        }
        guard let form else {
            return FakeProvider.error(400, "invalid_request", "Missing form parameter: grant_type")
        }
        guard form["grant_type"] == "authorization_code" else {
            return FakeProvider.error(
                400, "unsupported_grant_type", "Unsupported grant_type")
        }
        let text = form["code"] ?? ""
        let now = options.clock()
        let code: IssuedCode? = state.withLock { state in
            guard let code = state.codes[text], code.request.clientID == client.id else {
                return nil
            }
            // A second time costs the client its part of the session, and its logout calls.
            if code.isUsed { state.sessions[code.sid]?.clients.removeAll { $0 == client.id } }
            state.codes[text]?.isUsed = true
            let isGood =
                !code.isUsed && now - code.created <= options.codeLifetime
                && state.sessions[code.sid] != nil
            return isGood ? code : nil
        }
        guard let code else {
            return FakeProvider.error(400, "invalid_grant", "Code not valid")
        }
        guard form["redirect_uri"] == code.request.redirectURI else {
            return FakeProvider.error(400, "invalid_grant", "Incorrect redirect_uri")
        }
        guard let verifier = form["code_verifier"] else {
            return FakeProvider.error(
                400, "invalid_grant", "PKCE code verifier not specified")
        }
        let challenge = Base64URL.encode(Crypto.sha256(Array(verifier.utf8)))
        guard challenge == code.request.challenge else {
            return FakeProvider.error(
                400, "invalid_grant", "PKCE verification failed: Code mismatch")
        }
        return tokens(for: code, client, now)
    }

    /// `client_secret_basic`, or `client_secret_post` of a request without credentials in its
    /// head (RFC 6749 §2.3.1).
    private func authenticated(_ request: ReceivedRequest, _ form: FormFields?) -> FakeClient? {
        options.clients.first { client in
            guard let authorization = request["authorization"] else {
                return form?["client_id"] == client.id && form?["client_secret"] == client.secret
            }
            let text = FormFields.encode(client.id) + ":" + FormFields.encode(client.secret)
            return authorization == "Basic " + Base64.encode(Array(text.utf8))
        }
    }

    private func tokens(for code: IssuedCode, _ client: FakeClient, _ now: Timestamp) -> Response {
        let lifetime = Double(options.tokenLifetime.wholeSeconds)
        let access = signer.token([
            "iss": .string(options.issuer), "sub": .string(code.user.subject), "typ": "Bearer",
            "aud": "account", "azp": .string(client.id), "sid": .string(code.sid),
            "scope": .string(code.request.scope), "iat": .number(now.seconds.rounded(.down)),
            "exp": .number(now.seconds.rounded(.down) + lifetime),
            "jti": .string("onrtac:" + FakeProvider.random()),
        ])
        let mischief = state.withLock { state in
            state.accessTokens[access] = code.sid
            return state.mischief
        }
        var answer: [String: JSONValue] = [
            "access_token": .string(access), "token_type": "Bearer",
            "expires_in": .number(lifetime), "refresh_token": .string(FakeProvider.random(64)),
            "refresh_expires_in": 1800, "not-before-policy": 0,
            "scope": .string(code.request.scope),
            "session_state": .string(code.sid),
            "id_token": .string(idToken(for: code, client, access: access, now, mischief)),
        ]
        for (name, value) in mischief.tokenResponse { answer[name] = value == .null ? nil : value }
        return FakeProvider.json(200, .object(answer))
    }

    private func idToken(
        for code: IssuedCode, _ client: FakeClient, access: String, _ now: Timestamp,
        _ mischief: Mischief
    ) -> String {
        let issued = now.seconds.rounded(.down)
        var claims = FakeProvider.claims(of: code.user)
        claims["iss"] = .string(options.issuer)
        claims["aud"] = .string(client.id)
        claims["azp"] = .string(client.id)
        claims["sub"] = .string(code.user.subject)
        claims["typ"] = "ID"
        claims["iat"] = .number(issued)
        claims["exp"] = .number(issued + Double(options.tokenLifetime.wholeSeconds))
        claims["auth_time"] = .number(code.authenticated.seconds.rounded(.down))
        claims["jti"] = .string(FakeProvider.random())
        claims["nonce"] = code.request.nonce.map(JSONValue.string)
        claims["sid"] = .string(code.sid)
        // A password is level 1; who comes by the provider's cookie has level 0.
        claims["acr"] = code.isFresh ? "1" : "0"
        claims["at_hash"] = .string(FakeProvider.hash(access, options.algorithm))
        if let wrong = mischief.idToken { wrong.spoil(&claims, client: client.id, now: issued) }
        for (name, value) in mischief.claims { claims[name] = value == .null ? nil : value }
        let token = JSONValue.object(claims)
        guard let wrong = mischief.idToken else {
            return signer.token(token, header: mischief.header)
        }
        return wrong.sign(
            token, with: signer, secret: client.secret, keySet: keySet().body,
            header: mischief.header)
    }

    /// The left half of the hash of an access token (OpenID Connect Core §3.1.3.6).
    static func hash(_ token: String, _ algorithm: SignatureAlgorithm) -> String {
        let bytes = Array(token.utf8)
        let digest =
            switch algorithm {
            case .rs256, .ps256, .es256: Crypto.sha256(bytes)
            case .rs384, .ps384, .es384: Crypto.sha384(bytes)
            case .rs512, .ps512, .es512, .edDSA: Crypto.sha512(bytes)
            }
        return Base64URL.encode(Array(digest.prefix(digest.count / 2)))
    }
}
