public import GatehouseBase

/// A verified logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
///
/// Whether `jti` was seen before is the caller's to know, and to remember only after this: what
/// anyone may send must not fill the memory.
public struct LogoutToken: Sendable {
    private static let event = "http://schemas.openid.net/event/backchannel-logout"

    public let issuer: String
    /// Given alone, every session of this subject ends.
    public let subject: String?
    /// Given, the sessions of this provider session end.
    public let sessionID: String?
    /// Unique for the token.
    public let tokenID: String
    public let issuedAt: Timestamp
    /// Without `exp` (older providers); taken only while `iat` is fresh, and worth a log line.
    public let lacksExpiry: Bool
    /// Keycloak's "revoke offline sessions".
    public let revokesOfflineAccess: Bool

    /// The token of a form, which must hold it exactly once and nothing else of that name.
    ///
    /// - Parameters:
    ///   - body: at most 16 kB.
    ///   - contentType: the field's value; parameters such as a charset are ignored.
    public static func parameter(
        ofForm body: [UInt8], contentType: String?
    ) throws(OIDCError) -> Secret {
        guard let contentType else { throw .missing("content-type") }
        let type = contentType.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        guard type.lowercased() == "application/x-www-form-urlencoded" else {
            throw .unsupported("content-type")
        }
        guard body.count <= OIDCLimits.logoutToken else { throw .tooLarge("body") }
        guard let form = FormFields(parsing: body) else { throw .malformed("body") }
        let tokens = form.all(named: "logout_token")
        guard tokens.count <= 1 else { throw .duplicate("logout_token") }
        guard let token = tokens.first, !token.isEmpty else { throw .missing("logout_token") }
        return Secret(token)
    }

    /// Takes a token apart before its key is known, so that the keys can be read again for it.
    public static func parse(
        _ token: Secret, algorithms: Set<SignatureAlgorithm>
    ) throws(OIDCError) -> JWS {
        let token = try JWS(
            parsing: token.reveal(), allowed: algorithms, maximumSize: OIDCLimits.logoutToken)
        guard token.type == nil || token.type == "jwt" || token.type == "logout+jwt" else {
            throw .mismatch("typ")
        }
        return token
    }

    /// Verifies and validates `token` (§2.6).
    ///
    /// - Parameters:
    ///   - token: of ``parse(_:algorithms:)``.
    ///   - keys: the provider's.
    ///   - issuer: the configured one, byte for byte.
    ///   - clientID: ours.
    ///   - skew: between our clock and the provider's.
    ///   - now: the wall clock.
    public init(
        _ token: JWS, keys: JWKSet, issuer: String, clientID: String,
        skew: Duration = .seconds(60), now: Timestamp
    ) throws(OIDCError) {
        let claims = Claims(try token.verifiedClaims(with: keys))
        if let type = try claims.text("typ"), type != "Logout" { throw .mismatch("typ") }
        try claims.check(issuer: issuer)
        _ = try claims.audiences(with: clientID)
        (issuedAt, lacksExpiry) = try Self.times(claims, skew: skew, now: now)
        guard let tokenID = try claims.identifier("jti") else { throw .missing("jti") }
        revokesOfflineAccess = try Self.checkEvents(claims)
        guard claims.members["nonce"] == nil else { throw .mismatch("nonce") }
        subject = try claims.identifier("sub")
        sessionID = try claims.identifier("sid")
        guard subject != nil || sessionID != nil else { throw .missing("sub") }
        self.issuer = issuer
        self.tokenID = tokenID
    }

    /// `iat` within 300 s; `exp` in the future, or absent and `iat` within 150 s.
    private static func times(
        _ claims: Claims, skew: Duration, now: Timestamp
    ) throws(OIDCError) -> (issued: Timestamp, lacksExpiry: Bool) {
        let skew = Double(skew.nanoseconds) / 1e9
        guard let issued = try claims.date("iat") else { throw .missing("iat") }
        guard issued <= now.seconds + skew else { throw .premature("iat") }
        guard now.seconds - issued <= 300 + skew else { throw .expired("iat") }
        let expires = try claims.date("exp")
        if let expires {
            guard now.seconds < expires + skew else { throw .expired("exp") }
        } else if now.seconds - issued > 150 {
            throw .missing("exp")
        }
        return (Timestamp(seconds: issued), expires == nil)
    }

    private static func checkEvents(_ claims: Claims) throws(OIDCError) -> Bool {
        guard let value = claims.members["events"] else { throw .missing("events") }
        guard let events = value.object else { throw .malformed("events") }
        guard let event = events[Self.event] else { throw .mismatch("events") }
        guard event.object != nil else { throw .malformed("events") }
        return events["revoke_offline_access"]?.bool ?? false
    }
}
