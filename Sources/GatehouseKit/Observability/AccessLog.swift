import GatehouseBase
import GatehouseConfiguration
import GatehouseGate
import GatehouseHTTP
import GatehouseProxy

/// What the pipeline knows of an exchange for its line.
struct AccessRecord {
    let id: RequestID
    var route: String?
    var user: Session?

    init(id: RequestID) { self.id = id }
}

/// One line for each exchange, gathered per loop and written once a pass. Query strings, cookies
/// and tokens never appear: the path ends at the question mark.
final class AccessLog {
    private let format: LogSettings.Format
    private let sink: @Sendable ([UInt8]) -> Void
    private var buffer: [UInt8] = []

    init(format: LogSettings.Format, sink: @escaping @Sendable ([UInt8]) -> Void) {
        self.format = format
        self.sink = sink
    }

    func write(_ exchange: any Exchange, _ record: AccessRecord, peer: String) {
        let account = exchange.account
        let now = Instant.now()
        var fields: [(String, String)] = [
            ("id", record.id.description), ("client", peer),
            ("method", exchange.request.methodName().repairedText),
            ("host", exchange.request.fields.text(.host) ?? ""),
            ("path", exchange.request.path().repairedText), ("status", String(account.status)),
            ("received", String(account.received)), ("sent", String(account.sent)),
            ("total_ms", AccessLog.milliseconds(now.since(account.began))),
        ]
        if let user = record.user { fields.append(("user", user.displayName)) }
        if let route = record.route { fields.append(("route", route)) }
        if let connected = account.connected {
            fields.append(
                ("connect_ms", AccessLog.milliseconds(connected.since(account.began))))
        }
        if let answered = account.answered {
            fields.append(
                ("first_byte_ms", AccessLog.milliseconds(answered.since(account.began))))
        }
        if account.isUpgraded { fields.append(("upgrade", "websocket")) }
        if let cause = account.endCause { fields.append(("ended", cause.rawValue)) }
        if let failure = account.failure {
            fields.append(("fault", failure.fault.rawValue))
            fields.append(("reason", failure.word))
            if !failure.detail.isEmpty { fields.append(("detail", failure.detail)) }
        }
        buffer.append(
            contentsOf: LogLine.render(
                time: .now(), level: "access", label: "", message: "", fields, format
            ).utf8)
    }

    /// Hands over what has been gathered.
    func flush() {
        guard !buffer.isEmpty else { return }
        sink(buffer)
        buffer.removeAll(keepingCapacity: true)
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let micro = duration.nanoseconds / 1000
        let rest = String(micro % 1000)
        return "\(micro / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}
