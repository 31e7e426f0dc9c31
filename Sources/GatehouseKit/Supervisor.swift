public import GatehouseBase
public import GatehouseConfiguration
import GatehouseNet
import Glibc

/// Signals of the process: SIGHUP reloads, SIGTERM and SIGINT stop, a second one ends at once.
public struct Supervisor: Sendable {
    private static let signals = [SIGHUP, SIGINT, SIGTERM]

    /// Prepares the process: descriptors, no dumps.
    public init() {
        ProcessLimits.prepare()
    }

    /// Waits for signals until the gateway has stopped.
    /// - Parameter configuration: reads it anew; nil where it cannot be used.
    /// - Returns: the exit code.
    public func run(
        _ gateway: Gateway, log: Log, configuration: @escaping @Sendable () -> Configuration?
    ) async -> Int32 {
        let watch = EventLoop(name: "signals")
        let stopped = Delivery<Int32>()
        watch.start { loop in
            let source = SignalSource(Supervisor.signals, core: loop.core)
            var isStopping = false
            while true {
                switch await source.next() {
                case SIGHUP:
                    await Supervisor.reload(gateway, log, configuration)
                default:
                    // The second time the patience is over.
                    if isStopping { return stopped.deliver(1) }
                    isStopping = true
                    _ = Task.immediate(executorPreference: loop.thread) {
                        await gateway.stop()
                        stopped.deliver(0)
                    }
                }
            }
        }
        return await stopped.value()
    }

    private static func reload(
        _ gateway: Gateway, _ log: Log, _ configuration: @Sendable () -> Configuration?
    ) async {
        guard let configuration = configuration() else { return }
        do throws(GatewayError) {
            for setting in try await gateway.reload(configuration) {
                log.warning("'\(setting)' has changed: that needs a restart")
            }
        } catch {
            log.error("the configuration was not reloaded: \(error)")
        }
    }
}
