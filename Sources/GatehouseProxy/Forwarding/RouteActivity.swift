/// What happens on a route, as far as somebody may count it as its being used.
public enum RouteActivity: Sendable {
    /// An answer with a status below 300 has come to its end.
    case answered
    /// Bytes came from the client: of a request's body, or in a tunnel.
    case fromClient
    /// Bytes came from the server: of an answer that runs, or in a tunnel.
    case fromServer
}
