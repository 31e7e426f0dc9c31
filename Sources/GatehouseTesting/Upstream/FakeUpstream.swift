import GatehouseBase
public import GatehouseHTTP
public import GatehouseProxy
import Synchronization

/// An upstream by script: writes down what it gets and answers as it is told.
///
/// A path that nobody has scripted is answered 200 with `hello from PATH`.
public final class FakeUpstream: Responder, Sendable {
    /// Answers one exchange itself.
    public typealias Script = @Sendable (any Exchange) async throws -> Void

    private struct State: Sendable {
        var requests: [ReceivedRequest] = []
        var refusals: [ExchangeFailure] = []
        var answers: [String: Response] = [:]
        var scripts: [String: Script] = [:]
    }

    private let state = Locked(State())

    public init() {}

    // MARK: Script

    /// Answers a path with `response`, once the request's body has been read.
    public func on(_ path: String, _ response: Response) {
        state.withLock { $0.answers[path] = response }
    }

    /// Leaves the exchanges of a path to `script`, which reads the body itself.
    public func on(_ path: String, _ script: @escaping Script) {
        state.withLock { $0.scripts[path] = script }
    }

    // MARK: What came

    /// All requests so far.
    public var requests: [ReceivedRequest] { state.withLock { $0.requests } }

    /// The last of them.
    public var lastRequest: ReceivedRequest? { state.withLock { $0.requests.last } }

    /// What was no request.
    public var refusals: [ExchangeFailure] { state.withLock { $0.refusals } }

    /// How many requests came, for a path or for all.
    public func count(_ path: String? = nil) -> Int {
        state.withLock { state in
            guard let path else { return state.requests.count }
            return state.requests.count { $0.path == path }
        }
    }

    /// Forgets what came.
    public func forget() {
        state.withLock { state in
            state.requests = []
            state.refusals = []
        }
    }

    // MARK: Responder

    public func respond(to exchange: any Exchange) async {
        var request = ReceivedRequest(exchange.request)
        let path = request.path
        if let script = state.withLock({ $0.scripts[path] }) {
            state.withLock { $0.requests.append(request) }
            // A script that fails leaves its answer as far as it came: cut.
            try? await script(exchange)
            return
        }
        do throws(ExchangeFailure) {
            request.body = try await exchange.body(atMost: 64 << 20)
        } catch { return }
        let answer = state.withLock { state in
            state.requests.append(request)
            return state.answers[path]
        }
        await exchange.send(
            answer ?? Response(200, contentType: "text/plain", "hello from \(path)"))
    }

    public func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async {
        state.withLock { $0.refusals.append(failure) }
        await exchange.send(Response(failure.status))
    }
}
