import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseHTTP
import GatehouseProxy

/// One line for each exchange, gathered per loop and written once a pass. Query strings, cookies
/// and tokens never appear: the path ends at the question mark.
final class AccessLog {
    private let sink: @Sendable ([UInt8]) -> Void
    private var lines: LogLines

    init(format: LogSettings.Format, sink: @escaping @Sendable ([UInt8]) -> Void) {
        self.sink = sink
        lines = LogLines(format)
    }

    func write(_ exchange: any Exchange, _ record: AccessRecord, peer: String) {
        let account = exchange.account
        let request = exchange.request
        lines.begin(.now(), level: "access")
        lines.field("id", hexadecimal16: record.id.number)
        lines.field("client", peer)
        lines.field("method", request.methodName())
        lines.field("host", request.fields.text(.host) ?? "")
        lines.field("path", request.path())
        lines.field("status", account.status)
        lines.field("received", account.received)
        lines.field("sent", account.sent)
        lines.field("total_ms", Instant.now().since(account.began))
        if let user = record.user { lines.field("user", user.displayName) }
        if let bearer = record.bearer { lines.field(bearer.kind, bearer.name) }
        if let route = record.route { lines.field("route", route.name.span) }
        if let connected = account.connected {
            lines.field("connect_ms", connected.since(account.began))
        }
        if let answered = account.answered {
            lines.field("first_byte_ms", answered.since(account.began))
        }
        if account.isUpgraded { lines.field("upgrade", "websocket") }
        if let cause = account.endCause { lines.field("ended", cause.rawValue) }
        if let failure = account.failure {
            lines.field("fault", failure.fault.rawValue)
            lines.field("reason", failure.word)
            if !failure.detail.isEmpty { lines.field("detail", failure.detail) }
        }
        lines.end()
    }

    /// Hands over what has been gathered.
    func flush() {
        if !lines.isEmpty { sink(lines.take()) }
    }
}
