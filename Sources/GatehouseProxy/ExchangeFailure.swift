public import GatehouseHTTP
import GatehouseNet

/// Why an exchange did not come to its end: whose fault, which status, whether to try again.
public struct ExchangeFailure: Error, Equatable, Sendable {
    /// At whom a person should look.
    public enum Fault: String, Sendable {
        case downstream, upstream, gateway
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
        /// We have no socket left to reach it with.
        case noSockets
        case upstreamTLS
        case upstreamReset
        case upstreamClosed
        case upstreamTimeout
        case upstreamMalformed(MessageError)
        case upstreamUpgrade
        case sessionEnded
        case tooManyExchanges
        /// The Hub has not yet told all routes, and this path is a user's.
        case routesIncomplete
        /// The route's target is no URL that can be reached.
        case badTarget
        /// The route's target is a listener of ours.
        case routeLoop
        /// What must last before the answer may go out could not be kept.
        case recordsFailed
    }

    /// The reasons by their words, for counting.
    public enum Kind: String, Sendable, CaseIterable {
        case malformed
        case clientGone = "client_gone"
        case clientTimeout = "client_timeout"
        case bodyTooLarge = "body_too_large"
        case noRoute = "no_route"
        case connectRefused = "connect_refused"
        case connectTimeout = "connect_timeout"
        case nameUnresolved = "name_unresolved"
        case upstreamBusy = "upstream_busy"
        case noSockets = "no_sockets"
        case upstreamTLS = "upstream_tls"
        case upstreamReset = "upstream_reset"
        case upstreamClosed = "upstream_closed"
        case upstreamTimeout = "upstream_timeout"
        case upstreamMalformed = "upstream_malformed"
        case upstreamUpgrade = "upstream_upgrade"
        case sessionEnded = "session_ended"
        case tooManyExchanges = "too_many_exchanges"
        case routesIncomplete = "routes_incomplete"
        case badTarget = "bad_target"
        case routeLoop = "route_loop"
        case recordsFailed = "records_failed"

        /// Whose fault it is.
        public var fault: Fault {
            switch self {
            case .malformed, .clientGone, .clientTimeout, .bodyTooLarge, .tooManyExchanges:
                .downstream
            case .noRoute, .sessionEnded, .routesIncomplete, .badTarget,
                .routeLoop, .recordsFailed, .noSockets:
                .gateway
            case .connectRefused, .connectTimeout, .nameUnresolved, .upstreamBusy, .upstreamTLS,
                .upstreamReset, .upstreamClosed, .upstreamTimeout, .upstreamMalformed,
                .upstreamUpgrade:
                .upstream
            }
        }
    }

    public let reason: Reason
    /// What OpenSSL, the resolver or the system said; for the log, never for a page.
    public let detail: String

    public init(_ reason: Reason, detail: String = "") {
        self.reason = reason
        self.detail = detail
    }

    /// The table: kind and status of the answer.
    private var row: (kind: Kind, status: Int) {
        switch reason {
        case .malformed(let error): (.malformed, error.status)
        case .clientGone: (.clientGone, 499)
        case .clientTimeout: (.clientTimeout, 408)
        case .bodyTooLarge: (.bodyTooLarge, 413)
        case .noRoute: (.noRoute, 404)
        case .connectRefused: (.connectRefused, 502)
        case .connectTimeout: (.connectTimeout, 504)
        case .nameUnresolved: (.nameUnresolved, 502)
        case .upstreamBusy: (.upstreamBusy, 503)
        case .noSockets: (.noSockets, 503)
        case .upstreamTLS: (.upstreamTLS, 502)
        case .upstreamReset: (.upstreamReset, 502)
        case .upstreamClosed: (.upstreamClosed, 502)
        case .upstreamTimeout: (.upstreamTimeout, 504)
        case .upstreamMalformed: (.upstreamMalformed, 502)
        case .upstreamUpgrade: (.upstreamUpgrade, 502)
        case .sessionEnded: (.sessionEnded, 401)
        case .tooManyExchanges: (.tooManyExchanges, 503)
        case .routesIncomplete: (.routesIncomplete, 503)
        case .badTarget: (.badTarget, 500)
        case .routeLoop: (.routeLoop, 508)
        case .recordsFailed: (.recordsFailed, 503)
        }
    }

    /// The reason without what is told beside it.
    public var kind: Kind { row.kind }
    /// The word of ``reason``.
    public var word: String { kind.rawValue }
    /// The status of the answer, where one can still be sent. 499 is never sent.
    public var status: Int { row.status }
    public var fault: Fault { kind.fault }

    /// Whether it is about where the request should have gone: what error pages are for.
    public var isAboutRoutes: Bool {
        fault == .upstream || [.noRoute, .badTarget, .noSockets].contains(reason)
    }

    /// The system's word for it, as configurable-http-proxy's log has it.
    public var systemWord: String {
        switch reason {
        case .connectRefused: "connect ECONNREFUSED"
        case .connectTimeout: "connect ETIMEDOUT"
        case .noSockets: "connect EMFILE"
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
        case .system(let code) where error.isWantOfSockets:
            ExchangeFailure(.noSockets, detail: "errno \(code)")
        case .system(let code): ExchangeFailure(.upstreamReset, detail: "errno \(code)")
        }
    }

    /// What an error of the client's stream means.
    static func downstream(_ error: StreamError) -> ExchangeFailure {
        error == .timedOut ? ExchangeFailure(.clientTimeout) : ExchangeFailure(.clientGone)
    }
}
