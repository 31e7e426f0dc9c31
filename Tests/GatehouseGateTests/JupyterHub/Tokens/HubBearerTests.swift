import Testing

@testable import GatehouseGate

@Suite struct HubBearerTests {
    private func read(_ body: String) -> HubTokenReading? { HubTokenReading(Array(body.utf8)) }

    @Test func `an answer of JupyterHub's says who it is and whether a session holds the token`() {
        #expect(read(FakeHub.model("alice")) == .api(.user("alice")))
        #expect(read(FakeHub.model("grader", kind: "service")) == .api(.service("grader")))
        #expect(
            read(FakeHub.model("alice", session: #""0123""#))
                == .ofSession(.user("alice"), id: Array("0123".utf8)))
        #expect(
            read(FakeHub.model("alice", session: #""""#)) == .ofSession(.user("alice"), id: []))
        // JupyterHub 2 to 4 do not name the token.
        #expect(
            read(#"{"name": "alice", "kind": "user", "session_id": null}"#)
                == .api(.user("alice")))
    }

    @Test(arguments: [
        "", "null", "[]", "{}", #""alice""#, "<html>", #"{"name": "alice", "kind": "user"}"#,
        #"{"name": "alice", "kind": "user", "session_id": false}"#,
        #"{"name": "alice", "kind": "user", "session_id": 0}"#,
        #"{"name": "alice", "kind": "user", "session_id": null, "session_id": "x"}"#,
        #"{"name": "alice", "kind": "user", "session_id": "x", "session_id": null}"#,
        #"{"name": "alice", "kind": "group", "session_id": null}"#,
        #"{"name": "alice", "session_id": null}"#, #"{"kind": "user", "session_id": null}"#,
        #"{"name": "", "kind": "user", "session_id": null}"#,
        #"{"name": null, "kind": "user", "session_id": null}"#,
        #"{"name": ["alice"], "kind": "user", "session_id": null}"#,
        #"{"name": "alice", "kind": "user", "session_id": null, "token_id": null}"#,
        #"{"name": "alice", "kind": "user", "session_id": null}, "#,
    ])
    func `an answer that leaves a doubt names nobody`(body: String) {
        #expect(read(body) == nil)
    }
}
