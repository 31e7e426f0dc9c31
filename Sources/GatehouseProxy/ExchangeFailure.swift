public import GatehouseHTTP
import GatehouseNet

/// Why an exchange did not come to its end: whose fault, which status, whether to try again.
public struct ExchangeFailure: Error, Equatable, Sendable {
    /// At whom a person should look.
    public enum Fault: String, Sendable {
        case downstream, upstream, provider, gateway
    }

    /// What happened. The word stands in the access log and in `docs/OPERATIONS.md`.
    public enum Reason: Equatable, Sendable {
        case malformed(MessageError)
        case clientGone
        case clientTimeout
        case bodyTooLarge
        case noRoute
        case connectRefused
        case connectTimeout
        case nameUnresolved
        case upstreamBusy
        case upstreamTLS
        case upstreamReset
        case upstreamClosed
        case upstreamTimeout
        case upstreamMalformed(MessageError)
        case upstreamUpgrade
        case sessionEnded
        case tooManyExchanges
        case draining
        /// The Hub has not yet told all routes, and this path is a user's.
        case routesIncomplete
        /// The route's target is no URL that can be reached.
        case badTarget
    }

    public let reason: Reason
    /// What OpenSSL, the resolver or the system said; for the log, never for a page.
    public let detail: String

    public init(_ reason: Reason, detail: String = "") {
        self.reason = reason
        self.detail = detail
    }

    /// The table: word, status of the answer, fault.
    private var row: (word: String, status: Int, fault: Fault) {
        switch reason {
        case .malformed(let error): ("malformed", error.status, .downstream)
        case .clientGone: ("client_gone", 499, .downstream)
        case .clientTimeout: ("client_timeout", 408, .downstream)
        case .bodyTooLarge: ("body_too_large", 413, .downstream)
        case .noRoute: ("no_route", 404, .gateway)
        case .connectRefused: ("connect_refused", 502, .upstream)
        case .connectTimeout: ("connect_timeout", 504, .upstream)
        case .nameUnresolved: ("name_unresolved", 502, .upstream)
        case .upstreamBusy: ("upstream_busy", 503, .upstream)
        case .upstreamTLS: ("upstream_tls", 502, .upstream)
        case .upstreamReset: ("upstream_reset", 502, .upstream)
        case .upstreamClosed: ("upstream_closed", 502, .upstream)
        case .upstreamTimeout: ("upstream_timeout", 504, .upstream)
        case .upstreamMalformed: ("upstream_malformed", 502, .upstream)
        case .upstreamUpgrade: ("upstream_upgrade", 502, .upstream)
        case .sessionEnded: ("session_ended", 401, .gateway)
        case .tooManyExchanges: ("too_many_exchanges", 503, .downstream)
        case .draining: ("draining", 503, .gateway)
        case .routesIncomplete: ("routes_incomplete", 503, .gateway)
        case .badTarget: ("bad_target", 500, .gateway)
        }
    }

    /// The word of ``reason``.
    public var word: String { row.word }
    /// The status of the answer, where one can still be sent. 499 is never sent.
    public var status: Int { row.status }
    public var fault: Fault { row.fault }

    /// Whether it is about where the request should have gone: what error pages are for.
    public var isAboutRoutes: Bool {
        fault == .upstream || reason == .noRoute || reason == .badTarget
    }

    /// The system's word for it, as configurable-http-proxy's log has it.
    public var systemWord: String {
        switch reason {
        case .connectRefused: "connect ECONNREFUSED"
        case .connectTimeout: "connect ETIMEDOUT"
        case .upstreamTimeout: "socket hang up (ETIMEDOUT)"
        case .upstreamReset: "read ECONNRESET"
        case .upstreamClosed: "socket hang up"
        case .nameUnresolved: "getaddrinfo ENOTFOUND"
        case .noRoute: ""
        default: word
        }
    }

    /// Whether a request may go to a fresh connection when a reused one failed so before the first
    /// byte of an answer.
    var allowsRetry: Bool {
        switch reason {
        case .upstreamReset, .upstreamClosed: true
        default: false
        }
    }

    /// What an error of the upstream's stream means before its answer has begun.
    static func upstream(_ error: StreamError) -> ExchangeFailure {
        switch error {
        case .closed: ExchangeFailure(.upstreamClosed)
        case .reset: ExchangeFailure(.upstreamReset)
        case .timedOut: ExchangeFailure(.upstreamTimeout)
        case .refused: ExchangeFailure(.connectRefused)
        case .unresolved(let text): ExchangeFailure(.nameUnresolved, detail: text)
        case .tls(let text): ExchangeFailure(.upstreamTLS, detail: text)
        case .aborted: ExchangeFailure(.clientGone)
        case .system(let code): ExchangeFailure(.upstreamReset, detail: "errno \(code)")
        }
    }

    /// What an error of the client's stream means.
    static func downstream(_ error: StreamError) -> ExchangeFailure {
        error == .timedOut ? ExchangeFailure(.clientTimeout) : ExchangeFailure(.clientGone)
    }
}
