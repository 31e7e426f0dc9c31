import GatehouseBase

/// Whose is this token? To be asked by who decides about a request, who then decides again.
public struct TokenQuestion: Sendable {
    let lane: TokenLane
    let key: [UInt8]
    let token: Secret
    let host: String
    let peer: String
    /// The one that it comes beside.
    let session: Session?

    /// Who pays for the question. Behind one address there may be a whole class, whose pages all
    /// open at once.
    var asker: String {
        session.map { "session " + Base64URL.encode($0.tag) } ?? peer
    }

    /// Asks JupyterHub, or waits for the answer to somebody who already does.
    public func answer() async -> TokenAnswer {
        TokenAnswer(lane: lane, key: key, verdict: await lane.judge(self))
    }
}

/// The answer to a ``TokenQuestion``.
public struct TokenAnswer: Sendable {
    let lane: TokenLane
    let key: [UInt8]
    public let verdict: TokenVerdict

    /// The verdict, where the question was this one.
    func verdict(of lane: TokenLane, on key: [UInt8]) -> TokenVerdict? {
        self.lane === lane && self.key == key ? verdict : nil
    }
}
