public import GatehouseHTTP

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
