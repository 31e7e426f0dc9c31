import GatehouseBase
import GatehouseConfiguration
import GatehouseHTTP
import GatehouseNet
import GatehouseProxy

/// Sends every request of a listener to https; health alone is answered.
final class RedirectResponder: Responder {
    /// Where to.
    struct Settings: Sendable {
        let status: Int
        /// nil where it goes without saying.
        let port: UInt16?
    }

    private let settings: Settings
    private let log: Log

    init(_ settings: Settings, _ log: Log) {
        self.settings = settings
        self.log = log
    }

    func respond(to exchange: any Exchange) async {
        let request = exchange.request
        let path = request.path()
        if path.equals("/_chp_healthz") || path.equals("/.gatehouse/healthz") {
            var response = Response(200, body: Array(#"{"status":"OK"}"#.utf8))
            response.head.fields.append(.contentType, "application/json")
            return await exchange.send(response)
        }
        guard let host = request.fields.text(.host), let target = request.target().text else {
            return await exchange.send(Response(400))
        }
        let name = RedirectResponder.withoutPort(host)
        let port = settings.port.map { ":\($0)" } ?? ""
        var response = Response(settings.status)
        response.head.fields.append(.location, "https://\(name)\(port)\(target)")
        if settings.status == 307 { response.head.fields.append(.cacheControl, "no-store") }
        await exchange.send(response)
    }

    func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async {
        await exchange.send(Response(failure.status))
    }

    /// An IPv6 address keeps its brackets.
    private static func withoutPort(_ host: String) -> Substring {
        guard let colon = host.lastIndex(of: ":"),
            host[colon...].utf8.dropFirst().allSatisfy(ASCII.isDigit)
        else { return host[...] }
        return host[..<colon]
    }
}
