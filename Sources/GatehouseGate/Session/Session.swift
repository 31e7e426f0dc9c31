public import GatehouseBase
public import GatehouseHTTP
import Synchronization

/// A signed-in browser: one record per provider's session, subject and host.
///
/// Provider's session, subject and host never change. A sign-in of the same three in another tab
/// replaces ``identity`` and the cookie's id in place, so that what hangs on the session (the live
/// register) goes on hanging on it.
public final class Session: Sendable {
    public let issuer: String
    /// With the issuer, who it is.
    public let subject: String
    /// The provider's session (`sid`).
    public let sessionID: String?
    /// The host whose cookie it is, in lower case and without port.
    public let host: String
    /// Random; what tokens of our own forms are bound to. No secret of the cookie.
    let tag: [UInt8]

    private let lockedIdentity: Locked<SessionIdentity>
    private let pins = Locked(PinSet())
    private let tokens = Locked(KnownTokens())
    /// False while it lives.
    private let ended = Atomic<Bool>(false)
    private let activity: Atomic<UInt64>
    private let started: Atomic<UInt64>
    private let version = Atomic<Int>(0)
    private let exchanges = Atomic<Int>(0)

    init(
        issuer: String, subject: String, sessionID: String?, host: String,
        identity: SessionIdentity, now: Instant
    ) {
        self.issuer = issuer
        self.subject = subject
        self.sessionID = sessionID
        self.host = host
        tag = Secret.random(count: 16).reveal()
        lockedIdentity = Locked(identity)
        activity = Atomic(now.nanoseconds)
        started = Atomic(now.nanoseconds)
    }

    /// What the provider said at the last sign-in.
    public var identity: SessionIdentity { lockedIdentity.withLock(\.self) }

    /// `preferred_username`.
    public var username: String? { identity.claims.username }

    /// What stands in logs and on pages: the user's name, else the subject.
    public var displayName: String { username ?? subject }

    // MARK: Life and death

    /// Whether it is over. An exchange registers first and looks at this then.
    public var isEnded: Bool { ended.load(ordering: .acquiring) }

    /// Ends it for everybody who looks; true for the first who does so.
    func markEnded() -> Bool { !ended.exchange(true, ordering: .acquiringAndReleasing) }

    /// The user did something: a request, a byte of its body, a frame of a WebSocket.
    ///
    /// Written at most four times a second, so that loops do not fight over one cache line.
    public func touch(_ now: Instant) {
        let last = activity.load(ordering: .relaxed)
        if now.nanoseconds > last, now.nanoseconds - last >= Session.activityGrain {
            activity.store(now.nanoseconds, ordering: .relaxed)
        }
    }

    /// When the user last did something.
    public var lastActivity: Instant {
        Instant(nanoseconds: activity.load(ordering: .relaxed))
    }

    /// When the user last signed in.
    public var startedAt: Instant { Instant(nanoseconds: started.load(ordering: .relaxed)) }

    /// Which limit it has run into.
    public func expiry(at now: Instant, limits: SessionLimits) -> EndCause? {
        if now >= startedAt + limits.absolute { return .absolute }
        if now >= lastActivity + limits.idle { return .idle }
        return nil
    }

    private static let activityGrain: UInt64 = 250_000_000

    // MARK: Another sign-in of the same record

    /// Counts sign-ins: a cookie that was verified under another count is verified again.
    var generation: Int { version.load(ordering: .acquiring) }

    func replace(identity: SessionIdentity, now: Instant) {
        lockedIdentity.withLock { $0 = identity }
        activity.store(now.nanoseconds, ordering: .relaxed)
        started.store(now.nanoseconds, ordering: .relaxed)
        version.add(1, ordering: .acquiringAndReleasing)
    }

    // MARK: Cookies of upstreams

    /// Whether this upstream has set this cookie in this session.
    func hasPin(
        _ name: borrowing Span<UInt8>, _ value: borrowing Span<UInt8>, by setter: PinSet.Setter
    ) -> Bool {
        pins.withLock { $0.holds(name, value, by: setter) }
    }

    /// An upstream sets a cookie.
    /// - Returns: whether it was not known before.
    func pin(
        _ place: PinSet.Place, _ value: borrowing Span<UInt8>, by setter: PinSet.Setter
    ) -> Bool {
        pins.withLock { $0.add(place, value, by: setter) }
    }

    func unpin(_ place: PinSet.Place, by setter: PinSet.Setter) {
        pins.withLock { $0.remove(place, by: setter) }
    }

    /// The cookies of upstreams that this session has left in the browser.
    var pinnedCookies: (hub: [PinSet.Place], others: [PinSet.Place]) {
        pins.withLock { $0.places }
    }

    // MARK: Tokens of JupyterHub

    /// Whether the Hub has said that this token may come beside the session.
    func knows(token: [UInt8]) -> Bool { tokens.withLock { $0.holds(token) } }

    func note(token: [UInt8]) { tokens.withLock { $0.add(token) } }

    /// Whether it is this session that JupyterHub calls `id`: what the cookie says that the Hub has
    /// set in it.
    func isHubSession(_ id: [UInt8]) -> Bool {
        let plain = HubCookie.sessionID
        let prefixed = Array("__Host-".utf8) + plain
        return pins.withLock { pins in
            pins.holds(plain.span, id.span, by: .hub)
                || pins.holds(prefixed.span, id.span, by: .hub)
        }
    }

    // MARK: Live exchanges

    /// Takes one of `limit` places; false where there is none left.
    func enter(limit: Int) -> Bool {
        let count = exchanges.add(1, ordering: .relaxed).newValue
        if count <= limit { return true }
        exchanges.subtract(1, ordering: .relaxed)
        return false
    }

    func leave() { exchanges.subtract(1, ordering: .relaxed) }

    /// Exchanges in flight on all loops.
    public var liveExchanges: Int { exchanges.load(ordering: .relaxed) }
}
