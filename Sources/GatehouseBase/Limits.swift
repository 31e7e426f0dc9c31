/// Every limit that an operator may set: its name in `limits:`, its default, its unit and its reason.
///
/// A value of this type is handed down at start and on reload. The table ``all`` is what the
/// configuration decoder, `gatehouse check` and the reference file are made from. Numbers that
/// nobody needs to change stand beside what they bound.
public struct Limits: Sendable, Equatable {
    // MARK: Requests
    public var requestLine = 8 * 1024
    public var requestHead = 32 * 1024
    public var requestFields = 128
    public var trailers = 8 * 1024
    public var chunkLine = 1024
    public var ownBody = 16 * 1024
    public var routeBody = 64 * 1024

    // MARK: Responses
    public var responseHead = 64 * 1024
    public var responseFields = 1024
    public var interimResponses = 16

    // MARK: Times, downstream
    public var tlsHandshake = Duration.seconds(10)
    public var headTime = Duration.seconds(10)
    public var keepAliveIdle = Duration.seconds(120)
    public var bodyIdle = Duration.seconds(60)
    public var bodyRate = 240
    public var bodyRateGrace = Duration.seconds(20)
    public var continueTime = Duration.seconds(1)
    /// nil: a reader may pause for as long as it likes.
    public var writeStall: Duration? = .seconds(60)
    public var lingerTime = Duration.seconds(2)
    public var lingerBytes = 256 * 1024

    // MARK: Upstreams
    public var connectTime = Duration.seconds(5)
    public var addressDelay = Duration.milliseconds(250)
    public var idleUpstreams = 256
    public var idleUpstreamTime = Duration.seconds(55)
    public var resolverAnswer = Duration.seconds(10)
    public var resolverFailure = Duration.seconds(1)

    // MARK: Connections and sessions
    public var connectionShare = 50
    public var sessionExchanges = 256
    public var closeFlush = Duration.milliseconds(500)
    public var halfClosed = Duration.seconds(60)
    public var drain = Duration.seconds(30)
    public var loginAttempts = 8
    public var loginTime = Duration.seconds(900)
    public var stateLength = 1500
    public var loopRestarts = 2
    public var supersededSession = Duration.seconds(60)
    public var tombstone = Duration.seconds(600)
    public var logoutTokensPerPeer = 50
    public var replayEntries = 65536
    public var loginExchanges = 64
    public var loginExchangesPerPeer = 16
    public var loginQueue = 1024
    public var loginQueuePerPeer = 256
    public var refusedCodesPerPeer = 20

    // MARK: Tokens of JupyterHub
    public var hubTokenLength = 512
    public var hubTokenTime = Duration.seconds(5)
    public var hubTokenBody = 1024 * 1024
    public var hubTokenKept = Duration.seconds(30)
    public var hubTokenEntries = 4096
    public var hubTokenQuestions = 64
    public var hubTokensPerPeer = 20

    // MARK: Provider
    public var providerTime = Duration.seconds(5)
    public var providerBody = 1024 * 1024
    public var clockSkew = Duration.seconds(60)
    public var keySetLifetime = Duration.seconds(3600)
    public var keySetRefetch = Duration.seconds(30)
    public var keySetStale = Duration.seconds(86400)
    public var certificateCheck = Duration.seconds(30)

    /// The defaults.
    public init() {}
}

/// One row of ``Limits/all``.
public struct Limit: Sendable {
    /// Where the value stands, and with it its unit.
    public enum Value: Sendable {
        /// Bytes, written as `32 KiB`.
        case size(any WritableKeyPath<Limits, Int> & Sendable)
        /// A plain number.
        case count(any WritableKeyPath<Limits, Int> & Sendable)
        /// A duration, written as `10s`.
        case time(any WritableKeyPath<Limits, Duration> & Sendable)
        /// A duration, or nil, written as `none`.
        case patience(any WritableKeyPath<Limits, Duration?> & Sendable)
    }

    /// The key below `limits:`.
    public let name: String
    public let value: Value
    /// Why there is such a limit and why it has this default.
    public let reason: String

    init(_ name: String, _ value: Value, _ reason: String) {
        self.name = name
        self.value = value
        self.reason = reason
    }
}

extension Limits {
    /// All limits, in the order of the reference file.
    public static let all: [Limit] = [
        Limit(
            "request_line", .size(\.requestLine),
            "a longer target is 414; JupyterLab's longest is 300 B"),
        Limit(
            "request_head", .size(\.requestHead),
            "431 above; the Hub accepts 40 kB, Jupyter sends 2 kB"),
        Limit("request_fields", .count(\.requestFields), "431 above; bounds the work per head"),
        Limit(
            "trailers", .size(\.trailers), "a trailer section is held in memory until it is whole"),
        Limit("chunk_line", .size(\.chunkLine), "chunk extensions are read and thrown away"),
        Limit(
            "own_body", .size(\.ownBody), "bodies of our own endpoints; a logout token has 0.9 kB"),
        Limit(
            "route_body", .size(\.routeBody),
            "what the routes API is told of one route; JupyterHub tells 0.1 kB"),
        Limit("response_head", .size(\.responseHead), "502 above"),
        Limit("response_fields", .count(\.responseFields), "502 above"),
        Limit(
            "interim_responses", .count(\.interimResponses),
            "1xx answers before a final one; 502 above"),
        Limit("tls_handshake", .time(\.tlsHandshake), "from accept to the last handshake byte"),
        Limit("head_time", .time(\.headTime), "a request head is whole after this, or 408"),
        Limit(
            "keep_alive_idle", .time(\.keepAliveIdle),
            "cloudflared keeps connections 90 s; closing first fails its POSTs"),
        Limit("body_idle", .time(\.bodyIdle), "a request body brings a byte within this"),
        Limit(
            "body_rate", .size(\.bodyRate), "bytes a second that a request body brings on average"),
        Limit("body_rate_grace", .time(\.bodyRateGrace), "before body_rate holds"),
        Limit(
            "continue_time", .time(\.continueTime),
            "a target's '100 Continue' is waited for; then we say it"),
        Limit(
            "write_stall", .patience(\.writeStall),
            "a reader of a body takes a byte within this, or 'none'; of a WebSocket when it likes"),
        Limit(
            "linger_time", .time(\.lingerTime),
            "an early refusal reads on, or the reset eats the answer"),
        Limit("linger_bytes", .size(\.lingerBytes), "as linger_time"),
        Limit(
            "connect_time", .time(\.connectTime),
            "upstream TCP and TLS; per upstream: connect_timeout"),
        Limit(
            "address_delay", .time(\.addressDelay), "before the next address of a name is tried too"
        ),
        Limit(
            "idle_upstreams", .count(\.idleUpstreams), "idle connections kept per loop and target"),
        Limit(
            "idle_upstream_time", .time(\.idleUpstreamTime),
            "below the 60 s after which many servers close"),
        Limit("resolver_answer", .time(\.resolverAnswer), "getaddrinfo tells no lifetime"),
        Limit(
            "resolver_failure", .time(\.resolverFailure), "a failing name is asked again after this"
        ),
        Limit(
            "connection_share", .count(\.connectionShare),
            "percent of the descriptors that connections may take"),
        Limit(
            "session_exchanges", .count(\.sessionExchanges),
            "live exchanges of one session; 503 above"),
        Limit(
            "close_flush", .time(\.closeFlush),
            "a WebSocket of an ended session gets its Close out within this"),
        Limit("half_closed", .time(\.halfClosed), "silence of the side that is left of a tunnel"),
        Limit("drain", .time(\.drain), "requests in flight at SIGTERM"),
        Limit(
            "login_attempts", .count(\.loginAttempts),
            "logins in progress in one browser; the oldest is dropped"),
        Limit("login_time", .time(\.loginTime), "a login in progress is good for this"),
        Limit(
            "state_length", .size(\.stateLength),
            "Keycloak's own cookie breaks above 1,600 characters of state"),
        Limit(
            "loop_restarts", .count(\.loopRestarts),
            "restarts of a login within a minute before the page that explains"),
        Limit(
            "superseded_session", .time(\.supersededSession),
            "the id before stays good, so that tabs finish in any order"),
        Limit(
            "tombstone", .time(\.tombstone),
            "how long a logout bars older logins"),
        Limit(
            "logout_tokens_per_peer", .count(\.logoutTokensPerPeer),
            "rejected logout tokens a second and peer"),
        Limit(
            "replay_entries", .count(\.replayEntries),
            "logout tokens remembered against replay, and as many logins"),
        Limit(
            "login_exchanges", .count(\.loginExchanges),
            "codes being redeemed at the provider at once; others wait"),
        Limit(
            "login_exchanges_per_peer", .count(\.loginExchangesPerPeer),
            "as login_exchanges, of one peer"),
        Limit(
            "login_queue", .count(\.loginQueue),
            "codes that wait for a place, provider_time at most; 503 above"),
        Limit(
            "login_queue_per_peer", .count(\.loginQueuePerPeer),
            "as login_queue, of one peer: a class behind one address; 429 above"),
        Limit(
            "refused_codes_per_peer", .count(\.refusedCodesPerPeer),
            "codes a second and peer that the provider refuses; 429 above"),
        Limit(
            "hub_token_length", .size(\.hubTokenLength),
            "a longer one is no token of JupyterHub's; its own have 32 B"),
        Limit(
            "hub_token_time", .time(\.hubTokenTime),
            "a question to JupyterHub whose a token is, connect to last byte; 503 above"),
        Limit(
            "hub_token_body", .size(\.hubTokenBody), "JupyterHub's answer; it lists scopes"),
        Limit(
            "hub_token_kept", .time(\.hubTokenKept),
            "JupyterHub's answer holds this long: so does a token that was revoked"),
        Limit(
            "hub_token_entries", .count(\.hubTokenEntries),
            "good tokens remembered, and as many bad ones; beyond, JupyterHub is asked each time"),
        Limit(
            "hub_token_questions", .count(\.hubTokenQuestions),
            "questions at once, half of them for tokens that were never good; 503 above"),
        Limit(
            "hub_tokens_per_peer", .count(\.hubTokensPerPeer),
            "unknown tokens a second and peer; 429 above"),
        Limit(
            "provider_time", .time(\.providerTime),
            "a request to the provider, connect to last byte"),
        Limit("provider_body", .size(\.providerBody), "an answer of the provider"),
        Limit("clock_skew", .time(\.clockSkew), "between our clock and the provider's"),
        Limit(
            "key_set_lifetime", .time(\.keySetLifetime),
            "the provider's keys are read again after this"),
        Limit(
            "key_set_refetch", .time(\.keySetRefetch),
            "at least between two reads for an unknown key"),
        Limit(
            "key_set_stale", .time(\.keySetStale),
            "keys stay good this long while the provider is down"),
        Limit(
            "certificate_check", .time(\.certificateCheck),
            "how often certificate files are looked at"),
    ]
}
