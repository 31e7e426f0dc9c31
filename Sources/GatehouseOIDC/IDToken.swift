public import GatehouseBase

/// A verified ID token (OpenID Connect Core §2): who signed in, when and how.
public struct IDToken: Sendable {
    /// What a token must agree with.
    public struct Expectation: Sendable {
        /// The configured issuer, byte for byte.
        public var issuer: String
        /// Ours.
        public var clientID: String
        /// Of the authorization request; nil for a refreshed token only, which has none.
        public var nonce: String?
        /// What came beside the token; needed where it has an `at_hash`.
        public var accessToken: Secret?
        /// What configuration and provider have in common.
        public var algorithms: Set<SignatureAlgorithm>
        /// Between our clock and the provider's.
        public var skew: Duration

        public init(
            issuer: String, clientID: String, nonce: String?, accessToken: Secret?,
            algorithms: Set<SignatureAlgorithm>, skew: Duration = .seconds(60)
        ) {
            self.issuer = issuer
            self.clientID = clientID
            self.nonce = nonce
            self.accessToken = accessToken
            self.algorithms = algorithms
            self.skew = skew
        }
    }

    public let issuer: String
    /// With the issuer, who it is; names and addresses may change.
    public let subject: String
    /// The provider's session (`sid`).
    public let sessionID: String?
    public let issuedAt: Timestamp
    public let expires: Timestamp
    /// When the person last proved who it is; a sign-in by the provider's cookie keeps it.
    public let authTime: Timestamp?
    /// How (`acr`).
    public let acr: String?
    public let preferredUsername: String?
    public let email: String?
    public let emailVerified: Bool
    public let name: String?
    /// The claim `groups`.
    public let groups: [String]
    /// Keycloak's `realm_access.roles`.
    public let realmRoles: [String]
    /// Keycloak's `resource_access`, by client.
    public let clientRoles: [String: [String]]
    /// All claims, as they came.
    public let claims: JSONValue

    /// Takes a token apart before its key is known, so that the keys can be read again for it.
    public static func parse(
        _ token: Secret, algorithms: Set<SignatureAlgorithm>
    ) throws(OIDCError) -> JWS {
        try JWS(parsing: token.reveal(), allowed: algorithms)
    }

    /// Verifies and validates `token` (OpenID Connect Core §3.1.3.7).
    ///
    /// - Parameters:
    ///   - token: compact.
    ///   - keys: the provider's.
    ///   - expected: what it must agree with.
    ///   - now: the wall clock.
    public init(
        _ token: Secret, keys: JWKSet, expecting expected: Expectation, now: Timestamp
    ) throws(OIDCError) {
        try self.init(
            Self.parse(token, algorithms: expected.algorithms), keys: keys, expecting: expected,
            now: now)
    }

    /// As ``init(_:keys:expecting:now:)-(Secret,_,_,_)``, for a token already taken apart.
    public init(
        _ token: JWS, keys: JWKSet, expecting expected: Expectation, now: Timestamp
    ) throws(OIDCError) {
        guard expected.algorithms.contains(token.algorithm) else { throw .unsupported("alg") }
        let verified = try token.verifiedClaims(with: keys)
        let claims = Claims(verified)
        try Self.checkType(token, claims)
        try claims.check(issuer: expected.issuer)
        try Self.checkAudience(claims, clientID: expected.clientID)
        (issuedAt, expires) = try Self.times(claims, skew: expected.skew, now: now)
        try Self.checkBinding(claims, expected, token.algorithm)
        guard let subject = try claims.identifier("sub") else { throw .missing("sub") }
        self.subject = subject
        issuer = expected.issuer
        sessionID = try claims.identifier("sid")
        authTime = try claims.date("auth_time").map(Timestamp.init(seconds:))
        acr = try claims.text("acr")
        preferredUsername = try claims.text("preferred_username")
        email = try claims.text("email")
        emailVerified = claims.members["email_verified"]?.bool ?? false
        name = try claims.text("name")
        groups = claims.strings(claims.members["groups"])
        realmRoles = claims.strings(claims.members["realm_access"]?["roles"])
        clientRoles = (claims.members["resource_access"]?.object ?? [:]).compactMapValues {
            $0["roles"]?.strings
        }
        self.claims = verified
    }

    /// Access, refresh and logout tokens of the same issuer are no ID tokens (RFC 8725 §3.12).
    ///
    /// Keycloak says what a token is in a claim `typ`, others in the header or not at all.
    private static func checkType(_ token: JWS, _ claims: Claims) throws(OIDCError) {
        guard token.type == nil || token.type == "jwt" else { throw .mismatch("typ") }
        if let type = try claims.text("typ"), type != "ID" { throw .mismatch("typ") }
        guard claims.members["events"] == nil else { throw .mismatch("events") }
    }

    private static func checkAudience(
        _ claims: Claims, clientID: String
    ) throws(OIDCError) {
        let audiences = try claims.audiences(with: clientID)
        if let party = try claims.text("azp") {
            guard sameBytes(party, clientID) else { throw .mismatch("azp") }
        } else if audiences.count > 1 {
            throw .missing("azp")
        }
    }

    private static func times(
        _ claims: Claims, skew: Duration, now: Timestamp
    ) throws(OIDCError) -> (issued: Timestamp, expires: Timestamp) {
        let skew = Double(skew.nanoseconds) / 1e9
        guard let expires = try claims.date("exp") else { throw .missing("exp") }
        guard now.seconds < expires + skew else { throw .expired("exp") }
        guard let issued = try claims.date("iat") else { throw .missing("iat") }
        guard issued <= now.seconds + skew else { throw .premature("iat") }
        if let start = try claims.date("nbf"), start > now.seconds + skew {
            throw .premature("nbf")
        }
        return (Timestamp(seconds: issued), Timestamp(seconds: expires))
    }

    /// To this login (`nonce`) and to the access token beside it (`at_hash`, §3.1.3.6).
    private static func checkBinding(
        _ claims: Claims, _ expected: Expectation, _ algorithm: SignatureAlgorithm
    ) throws(OIDCError) {
        if let wanted = expected.nonce {
            guard let nonce = try claims.text("nonce") else { throw .missing("nonce") }
            guard constantTimeEquals(Array(nonce.utf8), Array(wanted.utf8)) else {
                throw .mismatch("nonce")
            }
        }
        if let hash = try claims.text("at_hash") {
            guard let accessToken = expected.accessToken else { throw .missing("access_token") }
            let digest = Crypto.digest(accessToken.reveal(), algorithm.hash)
            let half = Base64URL.encode(Array(digest.prefix(digest.count / 2)))
            guard sameBytes(hash, half) else { throw .mismatch("at_hash") }
        }
    }
}
