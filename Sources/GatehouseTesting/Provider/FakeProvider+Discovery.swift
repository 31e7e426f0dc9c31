import GatehouseBase
import GatehouseHTTP
import Synchronization

/// What a provider says about itself, its keys, and its users.
extension FakeProvider {
    func discovery(_ request: ReceivedRequest) -> Response {
        let issuer = options.issuer
        let base = options.backChannelBase.flatMap { base in
            TestURL(base)?.authority == request["host"] ? base : nil
        }
        let forClients = (base ?? issuer) + "/protocol/openid-connect"
        let forBrowsers = issuer + "/protocol/openid-connect"
        var document: [String: JSONValue] = [
            "issuer": .string(issuer),
            "authorization_endpoint": .string(forBrowsers + "/auth"),
            "end_session_endpoint": .string(forBrowsers + "/logout"),
            "token_endpoint": .string(forClients + "/token"),
            "jwks_uri": .string(forClients + "/certs"),
            "userinfo_endpoint": .string(forClients + "/userinfo"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid", "profile", "email"],
            // As Keycloak: everything, whatever is in use.
            "id_token_signing_alg_values_supported": [
                "PS384", "RS384", "EdDSA", "ES384", "HS256", "HS512", "ES256", "RS256", "HS384",
                "ES512", "PS256", "PS512", "RS512",
            ],
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic", "client_secret_post",
            ],
            "code_challenge_methods_supported": ["S256"],
            "acr_values_supported": ["0", "1"],
            "authorization_response_iss_parameter_supported": true,
            "backchannel_logout_supported": true,
            "backchannel_logout_session_supported": true,
        ]
        for (name, value) in state.withLock({ $0.mischief.discovery }) {
            document[name] = value == .null ? nil : value
        }
        return FakeProvider.json(200, .object(document))
    }

    func keySet() -> Response {
        let signers = state.withLock { Array($0.signers.dropFirst($0.hiddenSigners).reversed()) }
        // An encryption key stands among Keycloak's; nobody may verify with it.
        let other: [String: JSONValue] = [
            "kid": "encryption", "kty": "RSA", "alg": "RSA-OAEP", "use": "enc", "e": "AQAB",
            "n": .string(Base64URL.encode([0x80] + [UInt8](repeating: 1, count: 255))),
        ]
        var response = Response(200, body: TokenSigner.keySet(signers, and: [other]))
        response.head.fields.append(.contentType, "application/json")
        response.head.fields.append(.cacheControl, "no-cache")
        return response
    }

    /// The claims of the user that an access token stands for (OpenID Connect Core §5.3).
    func userinfo(_ request: ReceivedRequest) -> Response {
        let token = (request["authorization"] ?? "").split(separator: " ").last.map(String.init)
        let session = token.flatMap { token in
            state.withLock { state in
                state.accessTokens[token].flatMap { state.sessions[$0] }
            }
        }
        guard let session else {
            var response = FakeProvider.error(401, "invalid_token", "Token verification failed")
            response.head.fields.append(.wwwAuthenticate, "Bearer error=\"invalid_token\"")
            return response
        }
        var claims = FakeProvider.claims(of: session.user)
        claims["sub"] = .string(session.user.subject)
        return FakeProvider.json(200, .object(claims))
    }

    /// What the profile, email, group and role mappers put into a token.
    static func claims(of user: FakeUser) -> [String: JSONValue] {
        var claims: [String: JSONValue] = [
            "preferred_username": .string(user.username),
            "name": .string("\(user.givenName) \(user.familyName)"),
            "given_name": .string(user.givenName),
            "family_name": .string(user.familyName),
            "email": .string(user.email),
            "email_verified": true,
            "groups": .array(user.groups.map(JSONValue.string)),
            "realm_access": ["roles": .array(user.realmRoles.map(JSONValue.string))],
        ]
        if !user.clientRoles.isEmpty {
            claims["resource_access"] = .object(
                user.clientRoles.mapValues { roles in
                    ["roles": .array(roles.map(JSONValue.string))]
                })
        }
        return claims
    }

    static func json(_ status: Int, _ value: JSONValue) -> Response {
        var response = Response(status, body: value.encoded())
        response.head.fields.append(.contentType, "application/json")
        response.head.fields.append(.cacheControl, "no-store")
        return response
    }

    /// An error of RFC 6749 §5.2.
    static func error(_ status: Int, _ code: String, _ description: String) -> Response {
        json(
            status,
            ["error": .string(code), "error_description": .string(description)])
    }
}
