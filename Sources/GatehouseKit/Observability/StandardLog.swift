public import GatehouseBase
public import GatehouseConfiguration
import GatehouseNet
import Synchronization

/// The log of a process, whose settings a reload may change: events to standard error;
/// configurable-http-proxy's lines go to standard output.
public final class StandardLog: Sendable {
    private final class Sink: Sendable {
        private let format: Locked<LogSettings.Format>

        init(_ format: LogSettings.Format) { self.format = Locked(format) }

        func take(_ format: LogSettings.Format) { self.format.withLock { $0 = format } }

        func write(_ event: Log.Event) {
            let format = format.withLock(\.self)
            var lines = LogLines(format)
            lines.write(event)
            let queue = format == .contract ? StandardLines.output : StandardLines.errors
            queue.write(lines.take())
        }

        func loss(of count: Int) -> [UInt8] {
            var lines = LogLines(format.withLock(\.self))
            lines.begin(
                .now(), level: Log.Level.warning.name, label: "gatehouse",
                message: "\(count) lines of the log were lost: nobody read them")
            lines.end()
            return lines.take()
        }
    }

    public let log: Log
    private let sink: Sink

    public init(_ settings: LogSettings) {
        let sink = Sink(settings.format)
        self.sink = sink
        for queue in [StandardLines.output, StandardLines.errors] {
            queue.tellLoss { sink.loss(of: $0) }
        }
        log = Log(label: "gatehouse", level: settings.level) { sink.write($0) }
    }

    /// Takes up other settings.
    public func take(_ settings: LogSettings) {
        sink.take(settings.format)
        log.setLevel(settings.level)
    }
}
