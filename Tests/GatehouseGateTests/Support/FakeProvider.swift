import GatehouseBase
import GatehouseGate
import GatehouseOIDC
import GatehouseTesting
import Synchronization

/// A small Keycloak behind a ``BackChannel``: discovery, keys, codes; and whatever goes wrong.
final class FakeProvider: BackChannel {
    static let issuer = "https://sso.example/realms/lab"
    static let clientID = "gatehouse"

    /// Somebody who signs in.
    struct Person {
        var subject: String
        var username: String?
        var sid: String?
        var authTime: Double?
        var groups: [String] = []
        var extra: [String: JSONValue] = [:]
        /// Filled up with `x` to that many bytes of ID token, roughly.
        var padding = 0
    }

    private struct Grant {
        var person: Person
        var nonce: String
        var challenge: String
        var redirectURI: String
    }

    private struct State {
        var grants: [String: Grant] = [:]
        var failure: BackChannelError?
        var tokenFailure: BackChannelError?
        var tokenAnswer: BackChannelResponse?
        var requests: [String] = []
        var nextCode = 0
        var alterClaims: (@Sendable (inout [String: JSONValue]) -> Void)?
        var header: [String: JSONValue] = [:]
        var beforeToken: (@Sendable () async -> Void)?
        var endsSessions = true
        var signer = TokenSigner(.es256, keyID: "k1")
    }

    var signer: TokenSigner { state.withLock(\.signer) }
    let stranger: TokenSigner
    private let clock: TestClock
    private let state = Locked(State())

    init(clock: TestClock) {
        stranger = TokenSigner(.es256, keyID: "k2")
        self.clock = clock
    }

    /// Makes another key of the same name, as a provider in development does at its start.
    func renewKey() { state.withLock { $0.signer = TokenSigner(.es256, keyID: "k1") } }

    /// What every request gets from now on.
    func fail(with error: BackChannelError?) { state.withLock { $0.failure = error } }

    /// What the token endpoint does from now on.
    func failTokens(
        with error: BackChannelError? = nil, answer: BackChannelResponse? = nil
    ) {
        state.withLock {
            $0.tokenFailure = error
            $0.tokenAnswer = answer
        }
    }

    /// It has no end of session from its start.
    func endNoSessions() { state.withLock { $0.endsSessions = false } }

    func alterClaims(_ alter: (@Sendable (inout [String: JSONValue]) -> Void)?) {
        state.withLock { $0.alterClaims = alter }
    }

    func beforeToken(_ body: (@Sendable () async -> Void)?) {
        state.withLock { $0.beforeToken = body }
    }

    /// Paths that were asked for, in order.
    var requests: [String] { state.withLock { $0.requests } }

    func count(of path: String) -> Int { requests.filter { $0 == path }.count }

    /// What the browser gets at the authorization endpoint: the URL of the callback.
    func authorize(_ url: String, as person: Person) -> String? {
        guard let query = url.split(separator: "?", maxSplits: 1).last,
            let fields = FormFields(parsing: Array(query.utf8)),
            let state = fields["state"], let nonce = fields["nonce"],
            let challenge = fields["code_challenge"], let redirect = fields["redirect_uri"]
        else { return nil }
        let code = self.state.withLock { all in
            all.nextCode += 1
            let code = "code-\(all.nextCode)"
            all.grants[code] = Grant(
                person: person, nonce: nonce, challenge: challenge, redirectURI: redirect)
            return code
        }
        return redirect + "?"
            + FormFields.encode([("state", state), ("iss", FakeProvider.issuer), ("code", code)])
    }

    func send(
        _ request: BackChannelRequest
    ) async throws(BackChannelError) -> BackChannelResponse {
        let path = String(request.url.dropFirst("https://sso.example/realms/lab".count))
        let failure = state.withLock { state in
            state.requests.append(path)
            return state.failure
        }
        if let failure { throw failure }
        switch path {
        case "/.well-known/openid-configuration":
            return FakeProvider.json(200, .object(discovery))
        case "/certs":
            return BackChannelResponse(
                status: 200, contentType: "application/json",
                body: TokenSigner.keySet([signer]))
        case "/token":
            if let body = state.withLock({ $0.beforeToken }) { await body() }
            return try redeem(request)
        default:
            return BackChannelResponse(status: 404, contentType: nil, body: [])
        }
    }

    private var discovery: [String: JSONValue] {
        let base = FakeProvider.issuer
        var fields: [String: JSONValue] = [
            "issuer": .string(base), "authorization_endpoint": .string(base + "/auth"),
            "token_endpoint": .string(base + "/token"), "jwks_uri": .string(base + "/certs"),
            "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256"],
            "authorization_response_iss_parameter_supported": true,
            "code_challenge_methods_supported": ["S256"],
        ]
        if state.withLock(\.endsSessions) {
            fields["end_session_endpoint"] = .string(base + "/logout")
        }
        return fields
    }

    private func redeem(
        _ request: BackChannelRequest
    ) throws(BackChannelError) -> BackChannelResponse {
        let (failure, answer) = state.withLock { ($0.tokenFailure, $0.tokenAnswer) }
        if let failure { throw failure }
        if let answer { return answer }
        let form = FormFields(parsing: request.body?.reveal() ?? [])
        let grant = state.withLock { state in
            form?["code"].flatMap { state.grants.removeValue(forKey: $0) }
        }
        let verifier = form?["code_verifier"] ?? ""
        guard let grant, form?["redirect_uri"] == grant.redirectURI,
            Base64URL.encode(Crypto.sha256(Array(verifier.utf8))) == grant.challenge
        else { return FakeProvider.json(400, ["error": "invalid_grant"]) }
        let idToken = self.idToken(grant.person, nonce: grant.nonce)
        return FakeProvider.json(
            200,
            [
                "token_type": "Bearer", "access_token": "access", "id_token": .string(idToken),
                "expires_in": 300,
            ])
    }

    func idToken(_ person: Person, nonce: String) -> String {
        let now = clock.timestamp.seconds
        var claims: [String: JSONValue] = [
            "iss": .string(FakeProvider.issuer), "aud": .string(FakeProvider.clientID),
            "azp": .string(FakeProvider.clientID), "sub": .string(person.subject),
            "exp": .number(now + 300), "iat": .number(now), "nonce": .string(nonce), "typ": "ID",
            "groups": .array(person.groups.map { .string($0) }),
        ]
        if let sid = person.sid { claims["sid"] = .string(sid) }
        if let username = person.username { claims["preferred_username"] = .string(username) }
        if let authTime = person.authTime { claims["auth_time"] = .number(authTime) }
        if person.padding > 0 {
            claims["padding"] = .string(String(repeating: "x", count: person.padding))
        }
        claims.merge(person.extra) { $1 }
        state.withLock { $0.alterClaims }?(&claims)
        return signer.token(.object(claims))
    }

    /// A good logout token.
    func logoutClaims(sid: String?, sub: String?, jti: String) -> [String: JSONValue] {
        let now = clock.timestamp.seconds
        var claims: [String: JSONValue] = [
            "iss": .string(FakeProvider.issuer), "aud": .string(FakeProvider.clientID),
            "iat": .number(now), "exp": .number(now + 120), "jti": .string(jti), "typ": "Logout",
            "events": ["http://schemas.openid.net/event/backchannel-logout": [:]],
        ]
        if let sid { claims["sid"] = .string(sid) }
        if let sub { claims["sub"] = .string(sub) }
        return claims
    }

    private static func json(_ status: Int, _ value: JSONValue) -> BackChannelResponse {
        BackChannelResponse(
            status: status, contentType: "application/json", body: value.encoded())
    }
}
