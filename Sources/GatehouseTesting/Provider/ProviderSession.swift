import GatehouseBase

/// A browser that is signed in at a ``FakeProvider``, over all clients.
struct ProviderSession: Sendable {
    /// 24 characters of base64url, as at Keycloak.
    let sid: String
    let user: FakeUser
    var authenticated: Timestamp
    /// Clients that got a code, in that order: they are told of the end.
    var clients: [String] = []
}

/// A login page that somebody looks at.
struct PendingLogin: Sendable {
    let request: AuthorizationParameters
    /// The user may not be another: a session is being confirmed.
    let fixedUser: String?
    var isDone = false
}

/// A code that was given out.
struct IssuedCode: Sendable {
    let request: AuthorizationParameters
    let sid: String
    let user: FakeUser
    let authenticated: Timestamp
    /// Whether the password was asked for, and not the cookie.
    let isFresh: Bool
    let created: Timestamp
    var isUsed = false
}

/// What an authorization request asks for, as far as it is understood.
struct AuthorizationParameters: Sendable {
    let clientID: String
    let redirectURI: String
    let scope: String
    let state: String?
    let nonce: String?
    let challenge: String
}
