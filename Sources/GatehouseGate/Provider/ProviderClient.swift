public import GatehouseBase
public import GatehouseOIDC
import Synchronization

/// Asks the provider: discovery, keys, tokens. Nothing is asked before somebody needs it.
public final class ProviderClient: Sendable {
    /// What the provider is and who we are to it.
    public struct Options: Sendable {
        public var issuer: String
        public var credentials: ClientCredentials
        /// Where we reach it, in place of the issuer's URL.
        public var backChannelBase: String?
        /// Asked for besides `openid profile email`.
        public var scopes: [String]
        public var limits: Limits

        public init(
            issuer: String, credentials: ClientCredentials, backChannelBase: String? = nil,
            scopes: [String] = [], limits: Limits = Limits()
        ) {
            self.issuer = issuer
            self.credentials = credentials
            self.backChannelBase = backChannelBase
            self.scopes = scopes
            self.limits = limits
        }

        /// Whether metadata and keys are the same.
        func isSameProvider(as other: Options) -> Bool {
            issuer == other.issuer && backChannelBase == other.backChannelBase
        }

        /// Who we are to whom: what a session was made with, and cannot outlive.
        var registration: [UInt8] {
            Array(issuer.utf8) + [0] + Array(credentials.clientID.utf8)
        }
    }

    private struct State {
        var metadata: ProviderMetadata?
        var metadataRead: Instant?
        var metadataTried: Instant?
        var lastTrouble = ProviderTrouble.recent
        var keys: JWKSetCache
        var hasReadKeys = false
        var answered = false
    }

    public let options: Options
    private let channel: any BackChannel
    private let clock: GateClock
    private let state: Locked<State>
    private let discovery = SingleFlight()
    private let keyReading = SingleFlight()
    private let asking = SingleFlight()

    /// - Parameter previous: what it knows of the same provider is known here.
    public init(
        options: Options, channel: any BackChannel, clock: GateClock = .system,
        previous: ProviderClient? = nil
    ) {
        self.options = options
        self.channel = channel
        self.clock = clock
        let limits = options.limits
        if let previous, options.isSameProvider(as: previous.options) {
            state = Locked(previous.state.withLock(\.self))
            return
        }
        state = Locked(
            State(
                keys: JWKSetCache(
                    options: JWKSetCache.Options(
                        lifetime: limits.keySetLifetime, refetch: limits.keySetRefetch,
                        stale: limits.keySetStale))))
    }

    /// Everything that is asked for at sign-in.
    var scopes: [String] {
        let standard = ["openid", "profile", "email"]
        return standard + options.scopes.filter { !standard.contains($0) }
    }

    // MARK: Discovery

    /// The metadata as far as they are known; nothing is asked.
    public var knownMetadata: ProviderMetadata? { state.withLock { $0.metadata } }

    /// The metadata: read at the first call, read again when an hour old, and the old ones while
    /// that fails. In vain, it is tried again after a second at the earliest.
    func metadata() async throws(ProviderTrouble) -> ProviderMetadata {
        let now = clock.instant()
        let known = state.withLock { state -> ProviderMetadata? in
            guard let read = state.metadataRead, let metadata = state.metadata else { return nil }
            if now.since(read) < options.limits.keySetLifetime { return metadata }
            // Old, and tried in vain a moment ago: as good as it gets.
            return ProviderClient.isRecent(state.metadataTried, now) ? metadata : nil
        }
        if let known { return known }
        await discovery.run {
            let mayTry = state.withLock { state in
                // Another may have read them since we looked.
                if let read = state.metadataRead,
                    now.since(read) < options.limits.keySetLifetime
                {
                    return false
                }
                if ProviderClient.isRecent(state.metadataTried, now) { return false }
                state.metadataTried = now
                return true
            }
            if mayTry { await readMetadata() }
        }
        let (metadata, trouble) = state.withLock { ($0.metadata, $0.lastTrouble) }
        guard let metadata else { throw trouble }
        return metadata
    }

    private func readMetadata() async {
        let url = ProviderMetadata.url(
            issuer: options.issuer, backChannelBase: options.backChannelBase)
        do throws(ProviderTrouble) {
            let body = try await get(url)
            let metadata: ProviderMetadata
            do throws(OIDCError) {
                metadata = try ProviderMetadata(
                    parsing: body, issuer: options.issuer,
                    backChannelBase: options.backChannelBase,
                    maximumSize: options.limits.providerBody)
            } catch { throw .answer(error) }
            let now = clock.instant()
            state.withLock { state in
                state.metadata = metadata
                state.metadataRead = now
                state.metadataTried = nil
            }
        } catch {
            let now = clock.instant()
            state.withLock { state in
                state.metadataTried = now
                state.lastTrouble = error
            }
        }
    }

    private static func isRecent(_ tried: Instant?, _ now: Instant) -> Bool {
        tried.map { now.since($0) < .seconds(1) } ?? false
    }

    /// Whether the provider answers, asked now: before a browser is sent to it for a logout, which
    /// must not end on a browser's own error page. One question for all who ask at the same time.
    func answers() async -> Bool {
        await asking.run {
            let url = ProviderMetadata.url(
                issuer: options.issuer, backChannelBase: options.backChannelBase)
            var isHere = true
            do throws(ProviderTrouble) {
                _ = try await get(url, timeout: min(options.limits.providerTime, .seconds(2)))
            } catch { isHere = false }
            let found = isHere
            state.withLock { $0.answered = found }
        }
        return state.withLock { $0.answered }
    }

    // MARK: Keys

    /// The keys to verify `token` with, read again where the rule of ``JWKSetCache`` says so.
    ///
    /// - Parameter isDoubted: whether the key that we know by its name does not fit: a provider
    ///   may have made another one of that name.
    func keys(
        for token: JWS, of bearer: JWKSetCache.Bearer, isDoubted: Bool = false
    ) async throws(ProviderTrouble) -> JWKSet {
        let metadata = try await metadata()
        // Twice: whoever waits for another's reading decides anew then.
        for turn in 0..<2 {
            let now = clock.instant()
            let decision = state.withLock { state in
                isDoubted && turn == 0
                    ? state.keys.decision(knows: false, of: bearer, now: now)
                    : state.keys.decision(for: token, of: bearer, now: now)
            }
            switch decision {
            case .use(let keys): return keys
            case .refuse:
                // Nobody is reading them either: then that is the answer.
                if await keyReading.run({}) { throw noKey() }
            case .refetch(let fallback):
                if await readKeys(metadata.keySetURL) { continue }
                if let fallback { return fallback }
                throw state.withLock { $0.lastTrouble }
            }
        }
        let now = clock.instant()
        let decision = state.withLock { $0.keys.decision(for: token, of: bearer, now: now) }
        if case .use(let keys) = decision { return keys }
        throw noKey()
    }

    /// The keys to verify `token` with as far as they are known; nothing is asked.
    func knownKeys(for token: JWS) -> JWKSet? {
        let now = clock.instant()
        return switch state.withLock({ $0.keys.decision(for: token, now: now) }) {
        case .use(let keys): keys
        case .refetch(let fallback): fallback
        case .refuse: nil
        }
    }

    private func noKey() -> ProviderTrouble {
        state.withLock { $0.hasReadKeys ? .answer(.unknownKey) : $0.lastTrouble }
    }

    /// True where the keys were read, by us or by another.
    private func readKeys(_ url: String) async -> Bool {
        var isRead = false
        let wasUs = await keyReading.run {
            let now = clock.instant()
            state.withLock { $0.keys.began(at: now) }
            do throws(ProviderTrouble) {
                let body = try await get(url)
                let keys: JWKSet
                do throws(OIDCError) {
                    keys = try JWKSet(parsing: body, maximumSize: options.limits.providerBody)
                } catch { throw .answer(error) }
                let now = clock.instant()
                state.withLock { state in
                    state.keys.fetched(keys, at: now)
                    state.hasReadKeys = true
                }
                isRead = true
            } catch {
                state.withLock { $0.lastTrouble = error }
            }
        }
        return wasUs ? isRead : true
    }

    // MARK: Tokens

    /// Redeems a code: once, whatever happens.
    func redeem(
        code: Secret, redirectURI: String, verifier: Secret, metadata: ProviderMetadata
    ) async throws(RedemptionError) -> TokenResponse {
        let form = TokenRequest(
            code: code, redirectURI: redirectURI, verifier: verifier,
            credentials: options.credentials)
        let request = BackChannelRequest(
            .post, url: metadata.tokenEndpoint,
            fields: [
                ("Authorization", form.authorization),
                ("Content-Type", Secret(TokenRequest.contentType)),
                ("Accept", Secret("application/json")),
            ],
            body: form.body, timeout: options.limits.providerTime,
            maximumBody: options.limits.providerBody)
        let response: BackChannelResponse
        do throws(BackChannelError) {
            response = try await channel.send(request)
        } catch { throw .trouble(.channel(error)) }
        do throws(OIDCError) {
            return try TokenResponse(
                status: response.status, contentType: response.contentType, body: response.body,
                maximumSize: options.limits.providerBody)
        } catch { throw .refused(error) }
    }

    // MARK: Requests

    private func get(
        _ url: String, timeout: Duration? = nil
    ) async throws(ProviderTrouble) -> [UInt8] {
        let request = BackChannelRequest(
            .get, url: url, fields: [("Accept", Secret("application/json"))],
            timeout: timeout ?? options.limits.providerTime,
            maximumBody: options.limits.providerBody)
        let response: BackChannelResponse
        do throws(BackChannelError) {
            response = try await channel.send(request)
        } catch { throw .channel(error) }
        guard response.status == 200 else { throw .status(response.status) }
        return response.body
    }
}

/// Why a code became no tokens.
enum RedemptionError: Error {
    /// Nobody knows whether it was redeemed; it never is again.
    case trouble(ProviderTrouble)
    case refused(OIDCError)

    /// What the provider did with the code: only a clear refusal says that it is worth nothing.
    var verdict: Redemptions.Verdict {
        switch self {
        case .refused(.invalidGrant), .refused(.credentialsRefused): .refused
        case .refused, .trouble: .unclear
        }
    }
}
