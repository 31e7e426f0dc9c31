import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy

/// Sends every request of a listener to https; health alone is answered, and a certificate
/// authority's challenge served, if a route is there for it. (With sign-in the gate does this.)
final class RedirectResponder: Responder {
    /// Where to.
    struct Settings: Sendable {
        let status: Int
        /// nil where it goes without saying.
        let port: UInt16?
        /// The only ones that requests may be for; empty: any Host.
        let publicURLs: [Origin]
    }

    private let settings: Settings
    /// Serves what is not redirected.
    private let pipeline: RequestPipeline

    init(_ settings: Settings, _ pipeline: RequestPipeline) {
        self.settings = settings
        self.pipeline = pipeline
    }

    func respond(to exchange: any Exchange) async {
        let request = exchange.request
        if GateSnapshot.isHealth(request) {
            var response = Response(200, body: Array(#"{"status":"OK"}"#.utf8))
            response.head.fields.append(.contentType, "application/json")
            return await exchange.send(response)
        }
        if pipeline.isChallenge(request) { return await pipeline.respond(to: exchange) }
        guard let host = request.fields.text(.host), let target = request.target().text else {
            return await exchange.send(Response(400))
        }
        guard let origin = origin(of: host) else { return await exchange.send(Response(421)) }
        var response = Response(settings.status)
        response.head.fields.append(.location, origin + target)
        if settings.status == 307 { response.head.fields.append(.cacheControl, "no-store") }
        await exchange.send(response)
    }

    func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async {
        await exchange.send(Response(failure.status))
    }

    func tunnelHasEnded(_ exchange: any Exchange) { pipeline.tunnelHasEnded(exchange) }

    /// The public URL of a Host, which counts without its port; nil for a Host that we are not.
    private func origin(of host: String) -> String? {
        var name = RedirectResponder.withoutPort(host)
        if settings.publicURLs.isEmpty {
            return "https://\(name)" + (settings.port.map { ":\($0)" } ?? "")
        }
        if name.hasSuffix(".") { name = name.dropLast() }
        let wanted = name.lowercased()
        return settings.publicURLs.first { origin in
            origin.host == wanted || "[\(origin.host)]" == wanted
        }?.description
    }

    /// An IPv6 address keeps its brackets.
    private static func withoutPort(_ host: String) -> Substring {
        guard let colon = host.lastIndex(of: ":"),
            host[colon...].utf8.dropFirst().allSatisfy(ASCII.isDigit)
        else { return host[...] }
        return host[..<colon]
    }
}
