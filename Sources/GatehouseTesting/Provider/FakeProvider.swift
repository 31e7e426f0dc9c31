public import GatehouseBase
import GatehouseHTTP
import GatehouseNet
public import GatehouseOIDC
public import GatehouseProxy
import Synchronization

/// A small OpenID provider that behaves like Keycloak where that is cheap: for the demonstration
/// and for tests, which can make it misbehave. May be served on any loop, or on several.
public final class FakeProvider: Responder, Sendable {
    /// Sends a logout token's form to a client and waits for the answer.
    /// - Returns: the status; nil where there was none.
    public typealias Post = @Sendable (_ url: String, _ body: [UInt8]) async -> Int?

    /// What the provider is.
    public struct Options: Sendable {
        /// Without a slash at its end; its path is where everything is served.
        public var issuer: String
        /// Where clients reach it themselves. Asked by that name, discovery tells the endpoints
        /// that only clients call below it, and the browser's below the issuer.
        public var backChannelBase: String?
        public var users: [FakeUser]
        public var clients: [FakeClient]
        public var algorithm = SignatureAlgorithm.rs256
        public var codeLifetime = Duration.seconds(60)
        public var tokenLifetime = Duration.seconds(300)
        public var clock: @Sendable () -> Timestamp = { .now() }
        /// A word for who looks at the login page.
        public var hint = ""

        public init(
            issuer: String, backChannelBase: String? = nil,
            users: [FakeUser] = FakeUser.demonstration, clients: [FakeClient]
        ) {
            self.issuer = issuer
            self.backChannelBase = backChannelBase
            self.users = users
            self.clients = clients
        }
    }

    /// A call to a client's back channel.
    public struct LogoutCall: Sendable {
        public let client: String
        public let url: String
        public let token: String
        /// Nil where there was no answer.
        public let status: Int?
    }

    struct State: Sendable {
        var mischief = Mischief()
        var calls: [Mischief.Endpoint: Int] = [:]
        var logoutCalls: [LogoutCall] = []
        var signers: [TokenSigner]
        /// How many of ``signers``, from the first, are not shown any more.
        var hiddenSigners = 0
        var sessions: [String: ProviderSession] = [:]
        /// The values of session cookies, to `sid`.
        var cookies: [String: String] = [:]
        var logins: [String: PendingLogin] = [:]
        var codes: [String: IssuedCode] = [:]
        var accessTokens: [String: String] = [:]
        /// One-time words of confirmation pages, to the request that they confirm.
        var confirmations: [String: FormFields] = [:]
    }

    public let options: Options
    let state: Locked<State>
    let path: String
    private let post: Post?

    /// - Parameter post: nil: clients are not told of logouts, which is written down all the same.
    public init(_ options: Options, post: Post? = nil) {
        self.options = options
        self.post = post
        path = TestURL(options.issuer).map { $0.target == "/" ? "" : $0.target } ?? ""
        state = Locked(State(signers: [TokenSigner(options.algorithm, keyID: "key-1")]))
    }

    // MARK: For tests

    /// Changes what goes wrong.
    public func misbehave(_ change: @Sendable (inout Mischief) -> Void) {
        state.withLock { change(&$0.mischief) }
    }

    /// Lets everything go right again.
    public func behave() { state.withLock { $0.mischief = Mischief() } }

    /// How many requests came to an endpoint.
    public func count(_ endpoint: Mischief.Endpoint) -> Int {
        state.withLock { $0.calls[endpoint] ?? 0 }
    }

    /// Calls to back channels so far, in their order.
    public var logoutCalls: [LogoutCall] { state.withLock { $0.logoutCalls } }

    /// The `sid` of every session that is alive.
    public var sessionIDs: [String] { state.withLock { $0.sessions.keys.sorted() } }

    /// Signs with a new key from now on.
    /// - Parameter hidingOld: the old ones are in the key set no more.
    public func rotateKeys(hidingOld: Bool = false) {
        let count = state.withLock { $0.signers.count }
        let signer = TokenSigner(options.algorithm, keyID: "key-\(count + 1)")
        state.withLock { state in
            state.signers.append(signer)
            if hidingOld { state.hiddenSigners = state.signers.count - 1 }
        }
    }

    /// The key that signs now.
    public var signer: TokenSigner {
        state.withLock { state in
            guard let last = state.signers.last else { preconditionFailure("there is one") }
            return last
        }
    }

    // MARK: Responder

    public func respond(to exchange: any Exchange) async {
        let request = ReceivedRequest(exchange.request)
        let endpoint = endpoint(request.path)
        let trouble = state.withLock { state in
            state.calls[endpoint, default: 0] += 1
            return state.mischief.trouble[endpoint]
        }
        if case .late(let time) = trouble {
            await EventLoop.sleep(time, on: exchange.core)
        } else if let trouble {
            return await show(trouble, at: endpoint, to: exchange)
        }
        var received = request
        do throws(ExchangeFailure) {
            received.body = try await exchange.body(atMost: 256 * 1024)
        } catch { return }
        await exchange.send(await answer(received, endpoint))
    }

    public func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async {
        await exchange.send(Response(failure.status))
    }

    private func endpoint(_ path: String) -> Mischief.Endpoint {
        guard path.hasPrefix(self.path) else { return .unknown }
        switch path.dropFirst(self.path.count) {
        case "/.well-known/openid-configuration": return .discovery
        case "/protocol/openid-connect/auth": return .authorization
        case "/login-actions/authenticate": return .login
        case "/protocol/openid-connect/token": return .token
        case "/protocol/openid-connect/certs": return .keys
        case "/protocol/openid-connect/userinfo": return .userinfo
        case "/protocol/openid-connect/logout": return .endSession
        default: return .unknown
        }
    }

    private func answer(
        _ request: ReceivedRequest, _ endpoint: Mischief.Endpoint
    ) async -> Response {
        let isPost = request.method == "POST"
        switch endpoint {
        case .discovery where request.method == "GET": return discovery(request)
        case .keys where request.method == "GET": return keySet()
        case .authorization where isPost || request.method == "GET": return authorize(request)
        case .login where isPost: return logIn(request)
        case .token where isPost: return token(request)
        case .userinfo where isPost || request.method == "GET": return userinfo(request)
        case .endSession where isPost || request.method == "GET":
            return await endSession(request)
        case .unknown:
            return ProviderPages.problem(404, "There is no such page", "Nothing is served here.")
        default: return Response(405)
        }
    }

    // MARK: What all endpoints use

    /// `count` random bytes as base64url.
    static func random(_ count: Int = 18) -> String {
        Base64URL.encode(Secret.random(count: count).reveal())
    }

    func client(_ id: String?) -> FakeClient? {
        options.clients.first { $0.id == id }
    }

    /// The form of a POST, else the query.
    func parameters(_ request: ReceivedRequest) -> FormFields? {
        FormFields(
            parsing: request.method == "POST" ? request.body : Array(request.query.utf8))
    }

    /// The session whose cookie a request carries.
    func session(_ request: ReceivedRequest) -> ProviderSession? {
        let name = FakeProvider.cookieName + "="
        var values: [String] = []
        for line in request.all("cookie") {
            for pair in line.split(separator: ";") {
                let pair = pair.drop { $0 == " " }
                if pair.hasPrefix(name) { values.append(String(pair.dropFirst(name.count))) }
            }
        }
        return state.withLock { state in
            for value in values {
                if let sid = state.cookies[value], let session = state.sessions[sid] {
                    return session
                }
            }
            return nil
        }
    }

    static let cookieName = "PROVIDER_IDENTITY"

    /// A line that sets the session's cookie, or removes it.
    func cookieLine(_ value: String?) -> String {
        let attributes = "; Path=\(path)/; HttpOnly; Secure; SameSite=None"
        return FakeProvider.cookieName + "=" + (value ?? "") + attributes
            + (value == nil ? "; Max-Age=0" : "")
    }

    /// Tells one client after the other that a session has ended, as Keycloak does; the session is
    /// still alive meanwhile.
    func tell(_ clients: [String], sid: String, subject: String) async {
        for id in clients {
            guard let client = client(id), let url = client.backChannelLogoutURL else { continue }
            let token = mintLogoutToken(
                client: id, sid: client.backChannelSession ? sid : nil, subject: subject)
            let status = await post?(url, Array("logout_token=\(token)".utf8))
            state.withLock { state in
                state.logoutCalls.append(
                    LogoutCall(client: id, url: url, token: token, status: status))
            }
        }
    }
}
