public import GatehouseBase
public import GatehouseConfiguration
import GatehouseNet
import Glibc

/// Signals of the process: SIGHUP reloads, SIGTERM and SIGINT stop, a second one ends at once.
public struct Supervisor: Sendable {
    private static let signals = [SIGHUP, SIGINT, SIGTERM]

    private let parent: pid_t

    /// Prepares the process: descriptors, no dumps, signals. One that comes during the start waits
    /// until it is over.
    ///
    /// - Parameter parent: who has started this process, asked at its very beginning: one that ends
    ///   during the start is not the parent any more.
    public init(parent: Int32? = nil) {
        self.parent = parent ?? getppid()
        ProcessLimits.prepare()
        SignalSource.takeOver(Supervisor.signals)
    }

    /// Starts the gateway and serves until a signal has ended it.
    ///
    /// - Parameters:
    ///   - settings: of the start.
    ///   - started: told of the listeners' URLs.
    ///   - configuration: reads it anew; nil where it cannot be used.
    ///   - reloaded: told of the configuration that is in force now.
    /// - Returns: the exit code.
    /// - Throws: where it cannot start.
    public func run(
        _ gateway: Gateway, log: Log, _ settings: Configuration,
        started: ([String]) -> Void = { _ in },
        configuration: @escaping @Sendable () -> Configuration?,
        reloaded: @escaping @Sendable (Configuration) -> Void = { _ in }
    ) async throws(GatewayError) -> Int32 {
        // It is another's by now where a second start has failed, or a second process has begun.
        defer { if let file = settings.pidFile { Supervisor.remove(file) } }
        // Whoever gets an answer finds the pid file too; one who finds the address taken has not
        // touched that of the process that has it.
        let urls = try await gateway.start {
            if let file = settings.pidFile { Supervisor.write(file, log) }
        }
        started(urls)
        let status = await watch(gateway, log, settings) {
            guard let configuration = configuration() else { return }
            do throws(GatewayError) {
                try await gateway.reload(configuration)
                reloaded(configuration)
            } catch {
                log.error("the configuration was not reloaded: \(error)")
            }
        }
        gateway.removeSocketFiles()
        return status
    }

    /// Acts on signals until one has ended the gateway.
    private func watch(
        _ gateway: Gateway, _ log: Log, _ settings: Configuration,
        reload: @escaping @Sendable () async -> Void
    ) async -> Int32 {
        let stopped = Delivery<Int32>()
        let parent = settings.stop.endsWithParent ? parent : nil
        EventLoop(name: "signals").start { loop in
            let source = SignalSource(core: loop.core)
            if let parent { Supervisor.watch(parent, log, loop.core) }
            let reloads = Reloads(core: loop.core) {
                if settings.reloads { await reload() } else { await gateway.reloadCertificates() }
            }
            var isStopping = false
            while true {
                let signal = await source.next()
                switch signal {
                case SIGHUP: reloads.ask()
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

    /// Removes the pid file, if it is still ours.
    private static func remove(_ pidFile: String) {
        guard PlainFile.holds("\(getpid())", pidFile) else { return }
        PlainFile.remove(pidFile)
    }

    /// Ends the process when the one that started it has ended.
    private static func watch(_ parent: pid_t, _ log: Log, _ core: LoopCore) {
        core.fork {
            while getppid() == parent { await EventLoop.sleep(.seconds(1), on: core) }
            log.warning("the process that started this one has ended")
            kill(getpid(), SIGTERM)
        }
    }
}
