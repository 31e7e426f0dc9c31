import GatehouseBase

/// A session that its user has signed out a moment ago: what the way to the provider takes, and
/// nothing else of it.
///
/// The answer to a sign-out waits for the provider, and a browser that is asked again meanwhile (a
/// double click) throws it away. The session is over by then; this is what the second one is
/// answered with.
struct SignedOut: Sendable {
    /// Of the session: tokens of our forms are bound to it.
    let tag: [UInt8]
    let host: String
    /// ``ProviderClient/Options/registration`` of the provider that may see the ID token.
    let registration: [UInt8]
    /// nil where another provider issued it than the one that was in force.
    let idToken: Secret?
    /// Set-Cookie lines that take the upstreams' cookies from the browser; the most important first.
    let removals: [String]

    init(_ session: Session, provider: ProviderClient.Options) {
        tag = session.tag
        host = session.host
        registration = provider.registration
        idToken = sameBytes(session.issuer, provider.issuer) ? session.identity.idToken : nil
        var left = GateAnswer.room
        removals = Gate.removals(of: session).filter { line in
            left -= line.utf8.count
            return left >= 0
        }
    }

    /// Bytes that it takes, roughly.
    var size: Int {
        256 + (idToken?.count ?? 0) + removals.reduce(0) { $0 + $1.utf8.count }
    }
}
