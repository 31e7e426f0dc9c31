import GatehouseBase

/// A field name that somebody here asks for, or that is never taken from a client; else ``other``.
///
/// The parser classifies each name once; every later look-up compares one byte.
public enum FieldName: UInt8, Sendable, CaseIterable {
    case other = 0

    // RFC 9110, 9112
    case host, connection, contentLength, transferEncoding, contentType, te, trailer, upgrade
    case expect, keepAlive, proxyConnection, proxyAuthenticate, proxyAuthorization
    case authorization, location, cacheControl, date, server, accept, allow, retryAfter
    case wwwAuthenticate, contentEncoding
    // RFC 6265, 6455
    case cookie, setCookie, origin
    case secWebSocketKey, secWebSocketVersion, secWebSocketAccept, secWebSocketProtocol
    case secWebSocketExtensions
    // Fetch metadata and what tells a script from a navigation
    case secFetchSite, secFetchMode, secFetchDest, secFetchUser, secPurpose, purpose
    case xRequestedWith, contentSecurityPolicy, xAccelBuffering, clearSiteData
    case http2Settings
    // What holds for the whole origin and not for one page of it
    case serviceWorkerAllowed, strictTransportSecurity, nel, reportTo, reportingEndpoints
    case altSvc, publicKeyPins, acceptCH, secureSessionRegistration, setLogin
    // Ours, set anew on every forwarded request
    case xRequestID
    // Never taken from a client
    case forwarded, xForwardedFor, xForwardedProto, xForwardedHost, xForwardedPort
    case xForwardedServer, xForwardedURI, xForwardedPrefix, xForwardedMethod, xForwardedSSL
    case xForwardedScheme, xRealIP, xScheme, cfConnectingIP, cfVisitor, trueClientIP
    case xOriginalURL, xRewriteURL, xHTTPMethodOverride, xHTTPMethod, xMethodOverride
    case xAccelRedirect, xAccelLimitRate, xAccelExpires, xAccelCharset
    case cfAccessJWTAssertion, cfAccessEmail
    case xGatehouseAssertion, xGatehouseLogin

    /// The spelling we write.
    public var spelling: StaticString { FieldName.spellings[Int(rawValue)].0 }

    /// The spelling that look-alikes are compared with: lower case, `-` between words.
    var normalized: StaticString { FieldName.spellings[Int(rawValue)].1 }

    /// Its bit in ``Fields``.
    @inlinable var bit: UInt64 { 1 << UInt64(rawValue & 63) }

    /// Removed from every request, in every spelling, before ours are set (the one such list).
    @inlinable
    public var isNeverTakenFromClients: Bool { rawValue >= FieldName.forwarded.rawValue }

    /// A response's field that holds for the whole origin, or by which one page of it may get hold
    /// of the others.
    @inlinable
    public var bindsOrigin: Bool {
        rawValue >= FieldName.serviceWorkerAllowed.rawValue
            && rawValue <= FieldName.setLogin.rawValue
    }

    /// Tells where a request came from, on behalf of proxies before.
    @inlinable
    public var isForwarded: Bool {
        rawValue >= FieldName.forwarded.rawValue && rawValue <= FieldName.trueClientIP.rawValue
    }

    /// Ends at this hop whatever Connection says (RFC 9110 §7.6.1).
    @inlinable
    public var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .proxyAuthenticate, .proxyAuthorization,
            .te, .trailer, .transferEncoding, .upgrade, .http2Settings:
            true
        default:
            false
        }
    }

    /// May not be nominated by Connection: what would go missing decides something (400).
    public var isProtectedFromNomination: Bool {
        switch self {
        case .host, .contentLength, .transferEncoding, .cookie, .authorization, .secWebSocketKey,
            .secWebSocketVersion, .secWebSocketProtocol, .secWebSocketExtensions,
            .secWebSocketAccept, .origin, .secFetchSite, .secFetchMode, .secFetchDest,
            .secFetchUser, .xRequestID:
            true
        default:
            isNeverTakenFromClients
        }
    }

    /// Finds the name that `bytes` spell; `resembles` also where any other byte that is
    /// neither letter nor digit stands for `-`.
    static func classify(
        _ bytes: borrowing Span<UInt8>
    ) -> (name: FieldName, resembles: FieldName) {
        FieldNameIndex.shared.classify(bytes)
    }
}

extension FieldName {
    /// As written, and normalized: in the order of the cases.
    private static let spellings: [(StaticString, StaticString)] = [
        ("", ""),
        ("Host", "host"), ("Connection", "connection"), ("Content-Length", "content-length"),
        ("Transfer-Encoding", "transfer-encoding"), ("Content-Type", "content-type"),
        ("TE", "te"), ("Trailer", "trailer"), ("Upgrade", "upgrade"), ("Expect", "expect"),
        ("Keep-Alive", "keep-alive"), ("Proxy-Connection", "proxy-connection"),
        ("Proxy-Authenticate", "proxy-authenticate"),
        ("Proxy-Authorization", "proxy-authorization"), ("Authorization", "authorization"),
        ("Location", "location"), ("Cache-Control", "cache-control"), ("Date", "date"),
        ("Server", "server"), ("Accept", "accept"), ("Allow", "allow"),
        ("Retry-After", "retry-after"), ("WWW-Authenticate", "www-authenticate"),
        ("Content-Encoding", "content-encoding"),
        ("Cookie", "cookie"), ("Set-Cookie", "set-cookie"), ("Origin", "origin"),
        ("Sec-WebSocket-Key", "sec-websocket-key"),
        ("Sec-WebSocket-Version", "sec-websocket-version"),
        ("Sec-WebSocket-Accept", "sec-websocket-accept"),
        ("Sec-WebSocket-Protocol", "sec-websocket-protocol"),
        ("Sec-WebSocket-Extensions", "sec-websocket-extensions"),
        ("Sec-Fetch-Site", "sec-fetch-site"), ("Sec-Fetch-Mode", "sec-fetch-mode"),
        ("Sec-Fetch-Dest", "sec-fetch-dest"), ("Sec-Fetch-User", "sec-fetch-user"),
        ("Sec-Purpose", "sec-purpose"), ("Purpose", "purpose"),
        ("X-Requested-With", "x-requested-with"),
        ("Content-Security-Policy", "content-security-policy"),
        ("X-Accel-Buffering", "x-accel-buffering"), ("Clear-Site-Data", "clear-site-data"),
        ("HTTP2-Settings", "http2-settings"),
        ("Service-Worker-Allowed", "service-worker-allowed"),
        ("Strict-Transport-Security", "strict-transport-security"), ("NEL", "nel"),
        ("Report-To", "report-to"), ("Reporting-Endpoints", "reporting-endpoints"),
        ("Alt-Svc", "alt-svc"), ("Public-Key-Pins", "public-key-pins"),
        ("Accept-CH", "accept-ch"),
        ("Secure-Session-Registration", "secure-session-registration"),
        ("Set-Login", "set-login"), ("X-Request-Id", "x-request-id"),
        ("Forwarded", "forwarded"), ("X-Forwarded-For", "x-forwarded-for"),
        ("X-Forwarded-Proto", "x-forwarded-proto"), ("X-Forwarded-Host", "x-forwarded-host"),
        ("X-Forwarded-Port", "x-forwarded-port"), ("X-Forwarded-Server", "x-forwarded-server"),
        ("X-Forwarded-Uri", "x-forwarded-uri"), ("X-Forwarded-Prefix", "x-forwarded-prefix"),
        ("X-Forwarded-Method", "x-forwarded-method"), ("X-Forwarded-Ssl", "x-forwarded-ssl"),
        ("X-Forwarded-Scheme", "x-forwarded-scheme"), ("X-Real-IP", "x-real-ip"),
        ("X-Scheme", "x-scheme"), ("CF-Connecting-IP", "cf-connecting-ip"),
        ("CF-Visitor", "cf-visitor"), ("True-Client-IP", "true-client-ip"),
        ("X-Original-URL", "x-original-url"), ("X-Rewrite-URL", "x-rewrite-url"),
        ("X-HTTP-Method-Override", "x-http-method-override"), ("X-HTTP-Method", "x-http-method"),
        ("X-Method-Override", "x-method-override"), ("X-Accel-Redirect", "x-accel-redirect"),
        ("X-Accel-Limit-Rate", "x-accel-limit-rate"), ("X-Accel-Expires", "x-accel-expires"),
        ("X-Accel-Charset", "x-accel-charset"),
        ("Cf-Access-Jwt-Assertion", "cf-access-jwt-assertion"),
        ("Cf-Access-Authenticated-User-Email", "cf-access-authenticated-user-email"),
        ("X-Gatehouse-Assertion", "x-gatehouse-assertion"),
        ("X-Gatehouse-Login", "x-gatehouse-login"),
    ]
}
