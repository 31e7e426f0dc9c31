import GatehouseBase
import GatehouseGate
import GatehouseHTTP
import GatehouseNet
import GatehouseOIDC
import GatehouseProxy

/// How the gate reaches the provider: over Proxy's upstream connection, on the control loop.
final class UpstreamBackChannel: BackChannel {
    private let loop: EventLoop
    private let resolver: Resolver
    private let limits: Limits
    private let tls: ClientTLS

    init(loop: EventLoop, resolver: Resolver, limits: Limits, tls: ClientTLS) {
        self.loop = loop
        self.resolver = resolver
        self.limits = limits
        self.tls = tls
    }

    func send(
        _ request: BackChannelRequest
    ) async throws(BackChannelError) -> BackChannelResponse {
        guard let (origin, path) = UpstreamBackChannel.split(request.url) else {
            throw .unreachable
        }
        let resolver = resolver
        let limits = limits
        let tls = origin.scheme == .https ? tls : nil
        let result: Result<BackChannelResponse, BackChannelError> = await loop.run { loop in
            let deadline = Instant.now() + request.timeout
            let target = UpstreamTarget(
                host: origin.host, port: origin.port, tls: tls, connectTimeout: request.timeout)
            var head = RequestHead(
                request.method.rawValue, target: path, authority: origin.authority)
            for field in request.fields { head.fields.append(field.name, field.value.revealText()) }
            head.fields.append("Accept-Encoding", "identity")
            let pool = UpstreamPool(core: loop.core, resolver: resolver, limits: limits)
            return await UpstreamBackChannel.ask(
                head, body: request.body?.reveal(), target, pool, limits, deadline: deadline,
                maximumBody: request.maximumBody)
        }
        return try result.get()
    }

    /// One request of our own and its whole answer.
    static func ask(
        _ head: RequestHead, body: [UInt8]?, _ target: UpstreamTarget, _ pool: UpstreamPool,
        _ limits: Limits, deadline: Instant, maximumBody: Int
    ) async -> Result<BackChannelResponse, BackChannelError> {
        do throws(ExchangeFailure) {
            let answer = try await UpstreamClient.send(
                head, body: body, to: target, over: pool, limits: limits, deadline: deadline,
                maximumBody: maximumBody)
            return .success(
                BackChannelResponse(
                    status: answer.head.status,
                    contentType: answer.head.fields.text(.contentType), body: answer.body))
        } catch {
            return .failure(BackChannelError(error))
        }
    }

    /// The origin of an absolute URL, and its path with query.
    private static func split(_ url: String) -> (Origin, String)? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let rest = url[scheme.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard let origin = try? Origin(parsing: String(url[..<end])) else { return nil }
        let path = String(rest[end...])
        return (origin, path.hasPrefix("/") ? path : "/" + path)
    }
}

extension BackChannelError {
    /// What a failure on our own way to a server is to the gate.
    init(_ failure: ExchangeFailure) {
        self =
            switch failure.reason {
            case .connectTimeout, .upstreamTimeout: .timeout
            case .upstreamTLS: .tls(failure.detail)
            case .bodyTooLarge: .tooLarge
            case .upstreamMalformed: .malformed
            default: .unreachable
            }
    }
}
