public import GatehouseBase
public import GatehouseConfiguration
import GatehouseNet
import Glibc

/// Signals of the process: SIGHUP reloads, SIGTERM and SIGINT stop, a second one ends at once.
public struct Supervisor: Sendable {
    private static let signals = [SIGHUP, SIGINT, SIGTERM]

    /// Prepares the process: descriptors, no dumps, signals. One that comes during the start waits
    /// until it is over.
    public init() {
        ProcessLimits.prepare()
        SignalSource.takeOver(Supervisor.signals)
    }

    /// Starts the gateway and serves until a signal has ended it.
    ///
    /// - Parameters:
    ///   - settings: of the start.
    ///   - started: told of the listeners' URLs.
    ///   - configuration: reads it anew; nil where it cannot be used.
    /// - Returns: the exit code.
    /// - Throws: where it cannot start.
    public func run(
        _ gateway: Gateway, log: Log, _ settings: Configuration,
        started: ([String]) -> Void = { _ in },
        configuration: @escaping @Sendable () -> Configuration?
    ) async throws(GatewayError) -> Int32 {
        // Whoever finds us listening finds the pid file too.
        if let file = settings.pidFile { Supervisor.write(file, log) }
        defer { if let file = settings.pidFile { PlainFile.remove(file) } }
        started(try await gateway.start())
        let status = await Supervisor.watch(gateway, log, settings, configuration)
        gateway.removeSocketFiles()
        return status
    }

    /// Acts on signals until one has ended the gateway.
    private static func watch(
        _ gateway: Gateway, _ log: Log, _ settings: Configuration,
        _ configuration: @escaping @Sendable () -> Configuration?
    ) async -> Int32 {
        let stopped = Delivery<Int32>()
        EventLoop(name: "signals").start { loop in
            let source = SignalSource(core: loop.core)
            if settings.stop.endsWithParent { Supervisor.watchParent(log, loop.core) }
            var isStopping = false
            while true {
                let signal = await source.next()
                switch signal {
                case SIGHUP where settings.reloads:
                    await Supervisor.reload(gateway, log, configuration)
                case SIGHUP:
                    await gateway.reloadCertificates()
                default:
                    // The second time the patience is over.
                    if isStopping { return stopped.deliver(1) }
                    isStopping = true
                    log.warning(signal == SIGINT ? "Interrupted" : "Terminated")
                    loop.core.fork {
                        await gateway.stop()
                        stopped.deliver(settings.stop.exitStatus)
                    }
                }
            }
        }
        return await stopped.value()
    }

    /// Our number as decimal text, without a line feed.
    private static func write(_ pidFile: String, _ log: Log) {
        if let reason = PlainFile.write("\(getpid())", to: pidFile) {
            log.error("the pid file cannot be written: \(pidFile): \(reason)")
        } else {
            log.info("Writing pid \(getpid()) to \(pidFile)")
        }
    }

    /// Ends the process when the one that started it has ended.
    private static func watchParent(_ log: Log, _ core: LoopCore) {
        let parent = getppid()
        core.fork {
            while getppid() == parent { await EventLoop.sleep(.seconds(1), on: core) }
            log.warning("the process that started this one has ended")
            kill(getpid(), SIGTERM)
        }
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
