public import GatehouseBase

/// The pages that a person may see, each with what it says; rendered elsewhere.
public enum Page: Sendable {
    // MARK: Entering

    /// No rule lets this person in here.
    case denied(username: String?)
    /// What was sent needs a session, and the browser has none, or had one that ended meanwhile.
    /// `signIn` starts a login.
    case notSignedIn(signIn: String)
    /// A login came to nothing. `retry` starts another.
    case loginFailed(LoginFailure, retry: String)
    /// The provider does not answer as it should. `retry` starts another login.
    case providerDown(retry: String)

    // MARK: Leaving

    /// Asks before signing out; posts `token` as `csrf` to `action`. The answer may be a redirect to
    /// the provider.
    case confirmLogout(username: String?, action: String, token: Secret)
    /// Asks before logging out at JupyterHub and everywhere; `link` does it.
    case confirmHubLogout(username: String?, link: String)
    /// Signed out here; `signIn` starts a login.
    case signedOut(ProviderSession, signIn: String)
    /// Posts `fields` to the provider: by itself with scripts, by a button without.
    case endSession(action: String, fields: [(name: String, value: Secret)])

    // MARK: Requests that cannot be served

    /// The request is not one; what is wrong, in a few words.
    case badRequest(String)
    /// One of our own addresses that does not exist, or no route.
    case notFound
    /// `allowed` as in an Allow field.
    case methodNotAllowed(allowed: String)
    /// The request came for a host that is not served here; nil where it names none.
    case misdirected(host: String?)
    /// The request came without TLS; `publicURL` is where to go.
    case plainHTTP(publicURL: String)
    /// What only a front sends came from somebody who is none: `front.trusted`. Without fields it is
    /// HTTP/1.0, which no browser speaks.
    case untrustedFront(peer: String, fields: [String])
    /// A trusted front handed the request over, and none of its fields says whether the browser came
    /// by https.
    case frontWithoutScheme(fields: [String])
    /// Another site sent the browser to do something.
    case crossSite
    /// The user's claims do not fit into fields.
    case identityTooLarge
    /// The body is above a limit.
    case tooLarge
    /// The session has as many exchanges in flight as it may.
    case tooManyExchanges

    // MARK: Upstreams

    /// The application cannot be reached or does not speak HTTP.
    case badGateway
    /// The application does not answer in time.
    case gatewayTimeout
    /// Not now: at capacity, or what is behind is away. Seconds to wait.
    case unavailable(retryAfter: Int)
    /// Not yet: what is there is still being told. It ends by itself, so that the page asks again after
    /// these seconds.
    case starting(retryAfter: Int)
    /// Something in here is broken.
    case internalError

    /// What is known of the provider's own session after a logout.
    public enum ProviderSession: Sendable, Equatable {
        /// The provider has ended it.
        case ended
        /// It may be alive: the provider could not be asked. `end` asks it, where it is known how.
        case mayBeAlive(end: String?)
        /// It is alive: the provider has no address that ends it.
        case cannotBeEnded
        /// There was no session here to end. `end` asks the provider to end its own.
        case unknown(end: String?)
    }
}
