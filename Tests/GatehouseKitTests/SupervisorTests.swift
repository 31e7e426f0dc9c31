import FoundationEssentials
import GatehouseBase
import GatehouseConfiguration
import GatehouseKit
import Glibc
import Synchronization
import Testing

struct SupervisorTests {
    /// As configurable-http-proxy's flags say, on free ports.
    private static func settings(_ words: String...) throws -> Configuration {
        let fixed = ["--ip=127.0.0.1", "--port=0", "--api-ip=127.0.0.1", "--api-port=0"]
        let reading = CHPCommandLine.read(
            fixed + ["--state-dir", "none"] + words, environment: [:], version: "0",
            readFile: { _ in [] })
        guard case .run(let start) = reading else { throw GatewayError("\(reading)") }
        return start.configuration
    }

    private static func file() -> String {
        "/tmp/gatehouse-test-" + Hex.encode(Secret.random(count: 8).reveal())
    }

    private static func text(_ file: String) -> String? {
        try? String(contentsOfFile: file, encoding: .utf8)
    }

    @Test func `the pid file is ours while we run`() async {
        await #expect(processExitsWith: .exitCode(17)) {
            let file = SupervisorTests.file()
            let settings = try SupervisorTests.settings("--pid-file", file)
            let gateway = try Gateway(settings, log: .none)
            let status = try await Supervisor().run(gateway, log: .none, settings) { _ in
                #expect(SupervisorTests.text(file) == "\(getpid())")
                kill(getpid(), SIGTERM)
            } configuration: {
                nil
            }
            #expect(status == 2)
            #expect(SupervisorTests.text(file) == nil)
            exit(17)
        }
    }

    @Test func `reloads that are asked for meanwhile are one`() async {
        await #expect(processExitsWith: .exitCode(17)) {
            var settings = try SupervisorTests.settings()
            settings.reloads = true
            let gateway = try Gateway(settings, log: .none)
            let count = Locked(0)
            let status = try await Supervisor().run(gateway, log: .none, settings) { _ in
                for _ in 0..<200 {
                    kill(getpid(), SIGHUP)
                    usleep(500)
                }
                kill(getpid(), SIGTERM)
            } configuration: {
                count.withLock { $0 += 1 }
                // As a large configuration takes.
                usleep(100_000)
                return nil
            }
            #expect(status == 2)
            #expect((1...10).contains(count.withLock(\.self)))
            exit(17)
        }
    }

    @Test func `another's pid file is left alone`() async {
        await #expect(processExitsWith: .exitCode(17)) {
            let file = SupervisorTests.file()
            defer { PlainFile.remove(file) }
            let settings = try SupervisorTests.settings("--pid-file", file)
            let gateway = try Gateway(settings, log: .none)
            _ = try await Supervisor().run(gateway, log: .none, settings) { _ in
                #expect(PlainFile.write("1", to: file) == nil)
                kill(getpid(), SIGTERM)
            } configuration: {
                nil
            }
            #expect(SupervisorTests.text(file) == "1")
            exit(17)
        }
    }

    @Test func `a start that finds its address taken leaves the other's pid file`() async {
        await #expect(processExitsWith: .exitCode(17)) {
            let file = SupervisorTests.file()
            defer { PlainFile.remove(file) }
            let socket = SupervisorTests.file()
            let words = ["--pid-file", file, "--api-socket", socket]
            let first = try SupervisorTests.settings(words[0], words[1], words[2], words[3])
            let running = try Gateway(first, log: .none)
            _ = try await running.start()
            #expect(PlainFile.write("1", to: file) == nil)
            let second = try Gateway(first, log: .none)
            await #expect(throws: GatewayError.self) {
                _ = try await Supervisor().run(second, log: .none, first) { nil }
            }
            #expect(SupervisorTests.text(file) == "1")
            await running.stop()
            running.removeSocketFiles()
            exit(17)
        }
    }

    @Test func `a parent that ended during the start ends us too`() async {
        await #expect(processExitsWith: .exitCode(17)) {
            let settings = try SupervisorTests.settings("--exit-with-parent")
            let gateway = try Gateway(settings, log: .none)
            alarm(10)
            // Nobody's number: who has started us was that once.
            let status = try await Supervisor(parent: 0).run(gateway, log: .none, settings) { nil }
            #expect(status == 2)
            exit(17)
        }
    }
}
