import GatehouseBase
public import GatehouseHTTP

/// What is answered here, whatever the access rules say: health, and our own endpoints.
extension GateSnapshot {
    /// Whether a request only asks whether we serve.
    public static func isHealth(_ request: borrowing RequestHead) -> Bool {
        request.path().equals(OwnPath.health) || isContractHealth(request)
    }

    /// Exactly this, whatever the method; with a query, or to become a WebSocket, it is a path as
    /// any other, as with configurable-http-proxy.
    private static func isContractHealth(_ request: borrowing RequestHead) -> Bool {
        request.path().equals("/_chp_healthz") && request.target().equals("/_chp_healthz")
            && request.method != .connect && request.method != .trace
            && request.fields.firstIndex(of: .upgrade) == nil
    }

    /// Health, whatever the host, and what proves itself by signature.
    func decideBeforeHost(_ request: borrowing RequestHead) -> Decision? {
        let path = request.path()
        if GateSnapshot.isContractHealth(request) {
            return .answer(.json(200, #"{"status":"OK"}"#))
        }
        if path.equals(OwnPath.health) {
            guard request.method == .get || request.method == .head else {
                return .answer(refuse(request, .methodNotAllowed).adding(.allow, "GET, HEAD"))
            }
            return .answer(.json(200, #"{"status":"OK"}"#))
        }
        guard provider != nil, options.publicBackChannel,
            path.equals(OwnPath.backChannelLogout)
        else { return nil }
        guard request.method == .post else {
            return .answer(refuse(request, .methodNotAllowed).adding(.allow, "POST"))
        }
        return .own(.backChannelLogout, bodyLimit: options.limits.ownBody)
    }

    /// One of the endpoints, or nothing.
    func decideOwn(_ request: borrowing RequestHead) -> Decision {
        guard provider != nil, let (endpoint, methods) = Endpoint.find(request.path()) else {
            return .answer(refuse(request, .notFound))
        }
        guard methods.contains(request.method) else {
            let allowed = methods.map { $0 == .post ? "POST" : $0 == .head ? "HEAD" : "GET" }
            return .answer(
                refuse(request, .methodNotAllowed)
                    .adding(.allow, allowed.joined(separator: ", ")))
        }
        let limit = request.method == .post ? options.limits.ownBody : 0
        return .own(endpoint, bodyLimit: limit)
    }
}
