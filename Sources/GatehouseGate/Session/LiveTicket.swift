/// A place in the live register; kept by the exchange and given back once.
public struct LiveTicket: Sendable, Equatable {
    let slot: Int
}

/// What became of a registration.
public enum LiveRegistration: Sendable, Equatable {
    /// The exchange is ended with its session; give the ticket back when it is over.
    case registered(LiveTicket)
    /// The session is over: refuse the request.
    case ended
    /// The session has as many exchanges in flight as it may: 503.
    case tooMany
}
