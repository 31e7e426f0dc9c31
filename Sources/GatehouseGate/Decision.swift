public import GatehouseHTTP

/// What becomes of a request.
public enum Decision: Sendable {
    /// It is answered at once.
    case answer(GateAnswer)
    /// It is one of ours: read the body up to the limit and call ``Gate/serve(_:_:body:arrival:)``.
    case own(Endpoint, bodyLimit: Int)
    /// JupyterHub must say first whose token it shows: await the answer, then decide again with it.
    case ask(TokenQuestion)
    /// It may go to its upstream, if there is one.
    case pass(Passage)
}

/// What a request that may pass takes along.
public struct Passage: Sendable {
    /// For the request on its way upstream.
    public var edits: FieldEdits
    /// For the response on its way back.
    public var review: ResponseReview
    /// What it is registered under, and what user activity is told to; nil under a public rule
    /// and for who bears a token.
    public var session: Session?
    /// Who bears the token that let it pass.
    public var bearer: HubBearer?
    /// Whether the request and its body are something that the user does.
    public var isActivity = true
    /// Whether data frames of a WebSocket's client are something that the user does.
    public var countsFrames = true
    /// What the browser gets in place of the upstream's answer.
    public var substitute: Substitute?
}

/// Endpoints below `/.gatehouse`.
public enum Endpoint: Sendable, Equatable {
    /// A navigation without session, whatever its path: off to the provider.
    case startLogin
    case login
    case callback
    case logout
    case loggedOut
    case session
    case backChannelLogout
}
