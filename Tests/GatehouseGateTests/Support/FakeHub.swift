import GatehouseBase
import GatehouseGate
import Synchronization

/// A JupyterHub that knows tokens, behind a ``HubAPI``; and whatever goes wrong.
final class FakeHub: HubAPI {
    private struct State {
        var answers: [String: String] = [:]
        var failure: BackChannelError?
        var status: Int?
        var asked: [String] = []
        var before: (@Sendable () async -> Void)?
    }

    private let state = Locked(State())

    /// One with tokens of all kinds.
    init() {
        know("alices", FakeHub.model("alice"))
        know("bobs", FakeHub.model("bob"))
        know("services", FakeHub.model("grader", kind: "service"))
        know("labs", FakeHub.model("alice", session: #""0123456789abcdef""#))
    }

    /// As JupyterHub 5 and 6 write it, as far as it matters here.
    static func model(
        _ name: String, kind: String = "user", session: String = "null"
    ) -> String {
        """
        {"name": "\(name)", "kind": "\(kind)", "admin": false, "groups": ["/admins"], \
        "token_id": "a17", "session_id": \(session), "scopes": ["read:users"]}
        """
    }

    func know(_ token: String, _ body: String) { state.withLock { $0.answers[token] = body } }

    func revoke(_ token: String) { state.withLock { $0.answers[token] = nil } }

    /// What every question gets from now on.
    func fail(with error: BackChannelError? = nil, status: Int? = nil) {
        state.withLock {
            $0.failure = error
            $0.status = status
        }
    }

    /// What happens before every answer.
    func before(_ body: (@Sendable () async -> Void)?) { state.withLock { $0.before = body } }

    /// The tokens that it was asked about, in order.
    var asked: [String] { state.withLock { $0.asked } }

    func user(
        _ request: HubAPIRequest
    ) async throws(BackChannelError) -> BackChannelResponse {
        let token = request.token.revealText()
        let before = state.withLock { state in
            state.asked.append(token)
            return state.before
        }
        await before?()
        let (failure, status, answer) = state.withLock {
            ($0.failure, $0.status, $0.answers[token])
        }
        if let failure { throw failure }
        let body = answer ?? #"{"status": 403, "message": "Forbidden"}"#
        return BackChannelResponse(
            status: status ?? (answer == nil ? 403 : 200), contentType: "application/json",
            body: Array(body.utf8))
    }
}
