import GatehouseHTTP

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
