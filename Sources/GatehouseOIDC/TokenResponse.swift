public import GatehouseBase

/// A successful answer of the token endpoint (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
public struct TokenResponse: Sendable {
    public let accessToken: Secret
    public let idToken: Secret
    public let refreshToken: Secret?
    /// Seconds the access token lives.
    public let expiresIn: Double?

    /// Reads an answer, whatever it is.
    ///
    /// - Parameters:
    ///   - status: of the answer; redirects are never followed.
    ///   - contentType: the field's value.
    ///   - body: whole and not encoded.
    ///   - maximumSize: bytes.
    public init(
        status: Int, contentType: String?, body: [UInt8], maximumSize: Int
    ) throws(OIDCError) {
        guard body.count <= maximumSize else { throw .tooLarge("token response") }
        let type = (contentType ?? "").prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        let json = type.lowercased() == "application/json"
        let fields = json ? Self.object(body, maximumSize) : nil
        guard status == 200 else { throw Self.failure(status: status, fields: fields) }
        guard let fields else { throw .providerTrouble("its token response is not JSON") }
        if fields["error"] != nil { throw Self.failure(status: 400, fields: fields) }
        guard let kind = fields["token_type"]?.string else { throw .missing("token_type") }
        // DPoP and others need what we do not send (RFC 6749 §7.1).
        guard kind.lowercased() == "bearer" else { throw .unsupported("token_type") }
        accessToken = try Self.token("access_token", in: fields)
        idToken = try Self.token("id_token", in: fields)
        refreshToken =
            fields["refresh_token"] == nil
            ? nil : try Self.token("refresh_token", in: fields)
        expiresIn = fields["expires_in"]?.number
    }

    private static func object(_ body: [UInt8], _ maximumSize: Int) -> [String: JSONValue]? {
        try? JSONValue.parse(body, maximumSize: maximumSize, maximumDepth: OIDCLimits.depth).object
    }

    private static func token(
        _ name: String, in fields: [String: JSONValue]
    ) throws(OIDCError) -> Secret {
        guard let value = fields[name] else { throw .missing(name) }
        guard let text = value.string, !text.isEmpty else { throw .malformed(name) }
        return Secret(text)
    }

    /// A dead grant, our own credentials and a sick provider are three things (RFC 6749 §5.2).
    private static func failure(status: Int, fields: [String: JSONValue]?) -> OIDCError {
        let code = fields?["error"]?.string
        if status == 401 { return .credentialsRefused }
        guard status == 400 || status == 403, let code else {
            return .providerTrouble("status \(status) from its token endpoint")
        }
        switch code {
        case "invalid_grant": return .invalidGrant
        case "invalid_client", "unauthorized_client": return .credentialsRefused
        case "temporarily_unavailable", "server_error", "unknown_error", "slow_down":
            return .providerTrouble(code)
        case "invalid_request", "unsupported_grant_type", "invalid_scope", "access_denied":
            return .refused(code)
        default: return .refused("an error of its own")
        }
    }
}
