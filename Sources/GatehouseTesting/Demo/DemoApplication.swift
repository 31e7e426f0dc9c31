import GatehouseBase
import GatehouseHTTP
import GatehouseNet
public import GatehouseProxy

/// The application behind the demonstration: shows who its user is and what it received, and has
/// every kind of long-lived connection, so that one can watch them die.
///
/// | address | what it does |
/// |---|---|
/// | `/echo` | a WebSocket that sends back what it gets |
/// | `/events` | an event stream, one event a second |
/// | `/upload` | POST: counts the bytes; `rate=` reads that many a second |
/// | `/download?bytes=N` | as many bytes; `rate=` sends that many a second |
/// | any other | the page |
public final class DemoApplication: Responder, Sendable {
    /// How it is set up.
    public struct Options: Sendable {
        /// The fields that say who the user is.
        public var identityFields: [String]
        /// Between two events.
        public var tick = Duration.seconds(1)

        public init(identityFields: [String] = DemoApplication.identityFields) {
            self.identityFields = identityFields
        }
    }

    /// What the demonstration's gateway sets.
    public static let identityFields = [
        "X-Auth-User", "X-Auth-Name", "X-Auth-Email", "X-Auth-Groups", "X-Auth-Roles",
    ]

    /// Bytes of a download at most: 10 GB.
    static let maximumDownload = 10_000_000_000

    private let options: Options

    public init(_ options: Options = Options()) { self.options = options }

    // MARK: Responder

    public func respond(to exchange: any Exchange) async {
        let request = ReceivedRequest(exchange.request)
        // Whoever goes away ends his exchange; there is nobody left to tell.
        do throws(ExchangeFailure) {
            switch request.path {
            case "/echo": try await WebSocketEcho.serve(exchange)
            case "/events": try await sendEvents(exchange)
            case "/upload": try await countUpload(exchange, request)
            case "/download": try await sendDownload(exchange, request)
            case "/favicon.ico": await exchange.send(Response(404))
            default: await sendPage(exchange, request)
            }
        } catch { return }
    }

    public func refuse(_ exchange: any Exchange, _ failure: ExchangeFailure) async {
        await exchange.send(
            Response(failure.status, contentType: "text/plain", failure.word + "\n"))
    }

    // MARK: Addresses

    private func sendPage(_ exchange: any Exchange, _ request: ReceivedRequest) async {
        guard request.method == "GET" || request.method == "HEAD" else {
            var response = Response(405)
            response.head.fields.append(.allow, "GET, HEAD")
            return await exchange.send(response)
        }
        await exchange.send(
            DemoPage(request: request, identityFields: options.identityFields).response)
    }

    private func sendEvents(
        _ exchange: any Exchange
    ) async throws(ExchangeFailure) {
        var head = ResponseHead(200)
        head.fields.append(.contentType, "text/event-stream")
        head.fields.append(.cacheControl, "no-store")
        try await exchange.begin(head)
        var count = 0
        while true {
            count += 1
            let time = CalendarTime(.now()).iso8601
            try await exchange.write(Array("data: \(count) \(time)\n\n".utf8))
            await EventLoop.sleep(options.tick, on: exchange.core)
        }
    }

    private func countUpload(
        _ exchange: any Exchange, _ request: ReceivedRequest
    ) async throws(ExchangeFailure) {
        guard request.method == "POST" || request.method == "PUT" else {
            var response = Response(405)
            response.head.fields.append(.allow, "POST, PUT")
            return await exchange.send(response)
        }
        let rate = DemoApplication.number("rate", request)
        let began = Instant.now()
        var count = 0
        while let piece = try await exchange.readBody() {
            count += piece.count
            await DemoApplication.pace(count, rate, since: began, exchange.core)
        }
        guard request["accept"]?.contains("text/html") == true else {
            return await exchange.send(
                Response(200, contentType: "application/json", "{\"bytes\":\(count)}\n"))
        }
        await exchange.send(DemoPage.uploaded(count))
    }

    private func sendDownload(
        _ exchange: any Exchange, _ request: ReceivedRequest
    ) async throws(ExchangeFailure) {
        guard let bytes = DemoApplication.number("bytes", request),
            bytes <= DemoApplication.maximumDownload
        else {
            return await exchange.send(
                Response(400, contentType: "text/plain", "bytes= is missing or too large\n"))
        }
        var head = ResponseHead(200)
        head.fields.append(.contentType, "application/octet-stream")
        head.fields.append("Content-Disposition", "attachment; filename=\"download.bin\"")
        try await exchange.begin(head)
        let rate = DemoApplication.number("rate", request)
        // Slow downloads in pieces of a tenth of a second.
        let size = min(rate.map { max(1, $0 / 10) } ?? 64 * 1024, 64 * 1024)
        let piece = [UInt8](repeating: 0x2E, count: size)
        let began = Instant.now()
        var sent = 0
        while sent < bytes {
            let count = min(size, bytes - sent)
            try await exchange.write(count == size ? piece : Array(piece[..<count]))
            sent += count
            await DemoApplication.pace(sent, rate, since: began, exchange.core)
        }
        try await exchange.finish()
    }

    /// Waits until `count` bytes are not too many for `rate` bytes a second.
    private static func pace(
        _ count: Int, _ rate: Int?, since began: Instant, _ core: LoopCore
    ) async {
        guard let rate, rate > 0 else { return }
        let due = began + .milliseconds(count * 1000 / rate)
        let now = Instant.now()
        if due > now { await EventLoop.sleep(due.since(now), on: core) }
    }

    /// A number of the query, at most as large as a download may be.
    private static func number(_ name: String, _ request: ReceivedRequest) -> Int? {
        guard let text = FormFields(parsing: Array(request.query.utf8))?[name],
            let number = Int(text), (0...maximumDownload).contains(number)
        else { return nil }
        return number
    }
}
