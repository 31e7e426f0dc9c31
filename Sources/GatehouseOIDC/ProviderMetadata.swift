import GatehouseBase

/// What the provider says about itself (OpenID Connect Discovery 1.0 §3), as far as we trust it.
///
/// Endpoints stay at the issuer's origin or below the back-channel base: a document that names any
/// other place would make us send secrets there.
public struct ProviderMetadata: Sendable, Equatable {
    public let issuer: String
    /// For the browser, at the public issuer.
    public let authorizationEndpoint: String
    /// For us.
    public let tokenEndpoint: String
    /// For us.
    public let keySetURL: String
    /// For the browser, at the public issuer.
    public let endSessionEndpoint: String?
    /// What the provider may sign ID tokens with and we take.
    public let algorithms: Set<SignatureAlgorithm>
    /// Its callbacks always hold `iss` (RFC 9207 §3).
    public let promisesIssuer: Bool
    public let supportsBackChannelLogout: Bool
    public let supportsBackChannelLogoutSession: Bool
    public let supportsPKCE: Bool

    /// Where the document is (§4.1), below the back-channel base where there is one.
    public static func url(issuer: String, backChannelBase: String?) -> String {
        let base = backChannelBase ?? issuer
        return (base.hasSuffix("/") ? String(base.dropLast()) : base)
            + "/.well-known/openid-configuration"
    }

    /// Reads the document.
    ///
    /// - Parameters:
    ///   - bytes: of ``url(issuer:backChannelBase:)``.
    ///   - issuer: the configured one; the document must name it byte for byte (§4.3).
    ///   - backChannelBase: where our own requests go in place of the issuer's URL.
    ///   - maximumSize: bytes.
    public init(
        parsing bytes: [UInt8], issuer: String, backChannelBase: String?, maximumSize: Int
    ) throws(OIDCError) {
        guard bytes.count <= maximumSize else { throw .tooLarge("discovery") }
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONValue.parse(
                bytes, maximumSize: maximumSize, maximumDepth: OIDCLimits.depth)
        } catch { throw .malformed("discovery") }
        guard let fields = document.object else { throw .malformed("discovery") }
        guard let named = fields["issuer"]?.string else { throw .missing("issuer") }
        guard sameBytes(named, issuer) else { throw .mismatch("issuer") }
        let places = try Places(issuer: issuer, backChannelBase: backChannelBase)
        self.issuer = issuer
        authorizationEndpoint = try places.required("authorization_endpoint", fields, .browser)
        tokenEndpoint = try places.required("token_endpoint", fields, .us)
        keySetURL = try places.required("jwks_uri", fields, .us)
        endSessionEndpoint = try places.endpoint("end_session_endpoint", fields, .browser)
        let names = fields["id_token_signing_alg_values_supported"]?.strings ?? ["RS256"]
        algorithms = Set(names.compactMap(SignatureAlgorithm.init(rawValue:)))
        guard !algorithms.isEmpty else {
            throw .unsupported("id_token_signing_alg_values_supported")
        }
        promisesIssuer =
            fields["authorization_response_iss_parameter_supported"]?.bool ?? false
        supportsBackChannelLogout = fields["backchannel_logout_supported"]?.bool ?? false
        supportsBackChannelLogoutSession =
            fields["backchannel_logout_session_supported"]?.bool ?? false
        supportsPKCE =
            fields["code_challenge_methods_supported"]?.strings?.contains("S256") ?? false
    }
}

/// The two places at which a provider's endpoints may be.
private struct Places {
    enum Caller { case browser, us }

    let issuer: EndpointURL
    let base: EndpointURL?

    init(issuer: String, backChannelBase: String?) throws(OIDCError) {
        guard let url = EndpointURL(issuer) else { throw .malformed("issuer") }
        guard url.isSafe else { throw .unsupported("issuer without TLS") }
        self.issuer = url
        guard let backChannelBase else {
            base = nil
            return
        }
        guard let url = EndpointURL(backChannelBase) else {
            throw .malformed("backchannel_base_url")
        }
        base = url
    }

    func required(
        _ name: String, _ fields: [String: JSONValue], _ caller: Caller
    ) throws(OIDCError) -> String {
        guard let endpoint = try endpoint(name, fields, caller) else { throw .missing(name) }
        return endpoint
    }

    func endpoint(
        _ name: String, _ fields: [String: JSONValue], _ caller: Caller
    ) throws(OIDCError) -> String? {
        guard let value = fields[name], value != .null else { return nil }
        guard let url = value.string.flatMap(EndpointURL.init) else { throw .malformed(name) }
        // A provider that does not know which name it was asked by tells the other's endpoints.
        if let base {
            let (wanted, other) = caller == .us ? (base, issuer) : (issuer, base)
            if url.remainder(below: wanted) != nil { return url.text }
            if let remainder = url.remainder(below: other) {
                return EndpointURL.join(wanted, remainder)
            }
        }
        guard url.hasOrigin(of: issuer) else { throw .mismatch(name) }
        return url.text
    }
}
