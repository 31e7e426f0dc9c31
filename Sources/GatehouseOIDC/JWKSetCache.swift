public import GatehouseBase

/// When the provider's keys are used, read again or no longer trusted; a value without a clock.
///
/// The owner asks ``decision(for:now:)``, reads the keys where it says so, and tells the outcome.
/// Whoever comes while a read is under way waits for that one, and then asks again once.
public struct JWKSetCache: Sendable {
    /// What to do for one token.
    public enum Decision: Sendable {
        /// Verify with these.
        case use(JWKSet)
        /// Read the keys now and ask again; where that fails, `fallback` may still verify.
        case refetch(fallback: JWKSet?)
        /// No key is known and none may be asked for now.
        case refuse
    }

    /// Who has brought the token.
    public enum Bearer: Sendable {
        /// We, from the provider's token endpoint: nobody else makes us read keys by it.
        case tokenEndpoint
        /// Whoever has posted it.
        case anybody
    }

    /// The times of the rule.
    public struct Options: Sendable {
        /// After this the keys are read again.
        public var lifetime: Duration
        /// At least between two reads, whatever strangers send; ``retry`` for tokens of the token
        /// endpoint.
        public var refetch: Duration
        /// Keys stay good for this long while the provider cannot be read.
        public var stale: Duration
        /// At least between two attempts while there is no key at all, or for the token endpoint.
        public var retry: Duration

        public init(
            lifetime: Duration = .seconds(3600), refetch: Duration = .seconds(30),
            stale: Duration = .seconds(86400), retry: Duration = .seconds(1)
        ) {
            self.lifetime = lifetime
            self.refetch = refetch
            self.stale = stale
            self.retry = retry
        }
    }

    private let options: Options
    private var keys: JWKSet?
    private var fetched: Instant?
    private var attempted: Instant?

    public init(options: Options = Options()) { self.options = options }

    /// What to do with a token signed as `token` says.
    public func decision(
        for token: JWS, of bearer: Bearer = .anybody, now: Instant
    ) -> Decision {
        decision(
            knows: keys?.key(id: token.keyID, algorithm: token.algorithm) != nil, of: bearer,
            now: now)
    }

    /// As ``decision(for:of:now:)``, where the caller knows whether the key is there.
    public func decision(
        knows key: Bool, of bearer: Bearer = .anybody, now: Instant
    ) -> Decision {
        guard let keys, let fetched, now.since(fetched) < options.stale else {
            return mayAttempt(after: options.retry, now: now) ? .refetch(fallback: nil) : .refuse
        }
        let old = now.since(fetched) >= options.lifetime
        if key, !old { return .use(keys) }
        let own = min(options.retry, options.refetch)
        let pause = bearer == .tokenEndpoint ? own : options.refetch
        guard mayAttempt(after: pause, now: now) else {
            return key ? .use(keys) : .refuse
        }
        return .refetch(fallback: key ? keys : nil)
    }

    /// A read begins; until it has ended nobody else may begin one.
    public mutating func began(at now: Instant) { attempted = now }

    /// The keys were read.
    public mutating func fetched(_ keys: JWKSet, at now: Instant) {
        self.keys = keys
        fetched = now
        attempted = now
    }

    private func mayAttempt(after pause: Duration, now: Instant) -> Bool {
        attempted.map { now.since($0) >= pause } ?? true
    }
}
