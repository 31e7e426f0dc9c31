import GatehouseBase

/// A field name that somebody here asks for, or that is never taken from a client; else ``other``.
///
/// The parser classifies each name once; every later look-up compares one byte.
public enum FieldName: UInt8, Sendable, CaseIterable {
    case other = 0

    // RFC 9110, 9112
    case host, connection, contentLength, transferEncoding, contentType, te, trailer, upgrade
    case expect, keepAlive, proxyConnection, proxyAuthenticate, proxyAuthorization
    case authorization, location, cacheControl, date, server, accept, allow, retryAfter, via
    case wwwAuthenticate, contentEncoding, pragma, vary, age, etag
    // RFC 6265, 6455
    case cookie, setCookie, origin, referer
    case secWebSocketKey, secWebSocketVersion, secWebSocketAccept, secWebSocketProtocol
    case secWebSocketExtensions
    // Fetch metadata and what tells a script from a navigation
    case secFetchSite, secFetchMode, secFetchDest, secFetchUser, secPurpose, purpose
    case xRequestedWith, userAgent, contentSecurityPolicy, xAccelBuffering, clearSiteData
    case http2Settings
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

    /// Removed from every request, in every spelling, before ours are set (the one such list).
    @inlinable
    public var isNeverTakenFromClients: Bool { rawValue >= FieldName.forwarded.rawValue }

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

    /// Finds the name that `bytes` spell; `resembles` also where `_` or `.` stands for `-`.
    static func classify(
        _ bytes: borrowing Span<UInt8>
    ) -> (name: FieldName, resembles: FieldName) {
        guard bytes.count >= 2, bytes.count <= 40 else { return (.other, .other) }
        let bucket = FieldNameIndex.hash(
            count: bytes.count, first: ASCII.foldedName(bytes[0]),
            last: ASCII.foldedName(bytes[bytes.count - 1]),
            middle: ASCII.foldedName(bytes[bytes.count / 2]))
        var candidate = FieldNameIndex.shared.heads[bucket]
        while candidate != 0 {
            let spelled = FieldNameIndex.shared.names[Int(candidate)]
            if let exact = matches(bytes, spelled) {
                let name = FieldName(rawValue: candidate) ?? .other
                return (exact ? name : .other, name)
            }
            candidate = FieldNameIndex.shared.next[Int(candidate)]
        }
        return hasOurPrefix(bytes) ? (.other, .xGatehouseAssertion) : (.other, .other)
    }

    /// nil: another name; true: this name; false: a look-alike of it.
    private static func matches(_ bytes: borrowing Span<UInt8>, _ name: [UInt8]) -> Bool? {
        guard bytes.count == name.count else { return nil }
        var exact = true
        for index in bytes.indices {
            let byte = ASCII.lowercased(bytes[index])
            if byte == name[index] { continue }
            guard name[index] == 0x2D, byte == 0x5F || byte == 0x2E else { return nil }
            exact = false
        }
        return exact
    }

    /// Every `X-Gatehouse-…` and `X-Accel-…` is ours or a server's to say, never a client's.
    static func hasOurPrefix(_ bytes: borrowing Span<UInt8>) -> Bool {
        guard bytes.count >= 8, bytes[0] | 0x20 == 0x78 else { return false }
        return bytes.startsLike("x-gatehouse") || bytes.startsLike("x-accel")
    }
}

/// A hash table over ``FieldName``, built once: buckets of chains, as array indexes.
struct FieldNameIndex: Sendable {
    static let shared = FieldNameIndex()

    let heads: [UInt8]
    let next: [UInt8]
    let names: [[UInt8]]

    private init() {
        var heads = [UInt8](repeating: 0, count: 256)
        var next = [UInt8](repeating: 0, count: FieldName.allCases.count)
        var names: [[UInt8]] = [[]]
        for name in FieldName.allCases where name != .other {
            let bytes = Array(name.normalized.description.utf8)
            names.append(bytes)
            let bucket = FieldNameIndex.hash(
                count: bytes.count, first: bytes[0], last: bytes[bytes.count - 1],
                middle: bytes[bytes.count / 2])
            next[Int(name.rawValue)] = heads[bucket]
            heads[bucket] = name.rawValue
        }
        self.heads = heads
        self.next = next
        self.names = names
    }

    static func hash(count: Int, first: UInt8, last: UInt8, middle: UInt8) -> Int {
        let sum = Int(first) &* 31 &+ Int(last) &* 17 &+ Int(middle) &* 7 &+ count &* 113
        return (sum ^ (sum >> 8)) & 255
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
        ("Retry-After", "retry-after"), ("Via", "via"), ("WWW-Authenticate", "www-authenticate"),
        ("Content-Encoding", "content-encoding"), ("Pragma", "pragma"), ("Vary", "vary"),
        ("Age", "age"), ("ETag", "etag"),
        ("Cookie", "cookie"), ("Set-Cookie", "set-cookie"), ("Origin", "origin"),
        ("Referer", "referer"), ("Sec-WebSocket-Key", "sec-websocket-key"),
        ("Sec-WebSocket-Version", "sec-websocket-version"),
        ("Sec-WebSocket-Accept", "sec-websocket-accept"),
        ("Sec-WebSocket-Protocol", "sec-websocket-protocol"),
        ("Sec-WebSocket-Extensions", "sec-websocket-extensions"),
        ("Sec-Fetch-Site", "sec-fetch-site"), ("Sec-Fetch-Mode", "sec-fetch-mode"),
        ("Sec-Fetch-Dest", "sec-fetch-dest"), ("Sec-Fetch-User", "sec-fetch-user"),
        ("Sec-Purpose", "sec-purpose"), ("Purpose", "purpose"),
        ("X-Requested-With", "x-requested-with"), ("User-Agent", "user-agent"),
        ("Content-Security-Policy", "content-security-policy"),
        ("X-Accel-Buffering", "x-accel-buffering"), ("Clear-Site-Data", "clear-site-data"),
        ("HTTP2-Settings", "http2-settings"), ("X-Request-Id", "x-request-id"),
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
