import GatehouseBase
import Glibc
import Testing

@testable import GatehouseNet

struct ConnectorTests {
    /// A port of 127.0.0.1 that accepts, that refuses, or that is silent because its queue is full.
    private final class Port {
        let address: Address
        private var files: [Int32]

        init(backlog: Int32 = 16) throws {
            let loopback = try #require(Address(ip: "127.0.0.1", port: 0))
            let (files, address) = try Binding.tcp(loopback, count: 1)
            self.files = files
            self.address = address
            listen(files[0], backlog)
        }

        /// Connects until the queue is full.
        func fill() {
            for _ in 0..<4 {
                let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
                // Sound: the kernel copies the address.
                _ = unsafe address.withSockaddr { unsafe Glibc.connect(file, $0, $1) }
                files.append(file)
            }
            usleep(20_000)
        }

        func close() {
            for file in files { Glibc.close(file) }
            files = []
        }
    }

    /// How long it took to connect, on a loop of its own.
    ///
    /// - Parameter patience: then whoever waits gives up.
    private func connect(
        to addresses: [Address], within time: Duration, delay: Duration,
        patience: Duration? = nil
    ) async -> Result<Duration, StreamError> {
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        return await loop.run { loop in
            let began = Instant.now()
            let abandonment = Abandonment()
            if let patience {
                let core = loop.core
                core.fork {
                    await EventLoop.sleep(patience, on: core)
                    abandonment.abandon()
                }
            }
            do throws(StreamError) {
                try await Connector.connect(
                    to: addresses, core: loop.core, deadline: .now() + time, addressDelay: delay,
                    abandonment: abandonment
                ).close()
                return .success(Instant.now().since(began))
            } catch { return .failure(error) }
        }
    }

    @Test func `an address that refuses passes the word to the next at once`() async throws {
        let (closed, open) = (try Port(), try Port())
        closed.close()
        defer { open.close() }
        let took = await connect(
            to: [closed.address, closed.address, open.address], within: .seconds(30),
            delay: .seconds(20))
        #expect(try took.get() < .seconds(10))
    }

    @Test func `a silent address is overtaken after the delay`() async throws {
        let (silent, open) = (try Port(backlog: 0), try Port())
        defer {
            silent.close()
            open.close()
        }
        silent.fill()
        let took = try await connect(
            to: [silent.address, silent.address, open.address], within: .seconds(30),
            delay: .milliseconds(50)
        ).get()
        #expect(took >= .milliseconds(100))
        #expect(took < .seconds(10))
    }

    @Test func `nobody answers: refused where all refuse, timed out where one is silent`()
        async throws
    {
        let (closed, silent) = (try Port(), try Port(backlog: 0))
        closed.close()
        defer { silent.close() }
        silent.fill()
        let delay = Duration.milliseconds(20)
        let refused = await connect(
            to: [closed.address, closed.address], within: .seconds(30), delay: delay)
        #expect(throws: StreamError.refused) { try refused.get() }
        for addresses in [[silent.address], [closed.address, silent.address]] {
            let result = await connect(to: addresses, within: .milliseconds(200), delay: delay)
            #expect(throws: StreamError.timedOut) { try result.get() }
        }
    }

    @Test func `whoever waits may give up, for one address as for several`() async throws {
        let silent = try Port(backlog: 0)
        defer { silent.close() }
        silent.fill()
        for addresses in [[silent.address], [silent.address, silent.address]] {
            // Nobody who gave up was kept until the deadline, which is another error.
            let result = await connect(
                to: addresses, within: .seconds(300), delay: .milliseconds(20),
                patience: .milliseconds(100))
            #expect(throws: StreamError.aborted) { try result.get() }
        }
    }

    /// A UNIX socket that has no room for a connection more, and what waits there.
    private func fullQueue(
        _ path: String
    ) throws -> (listener: Int32, waiting: [Int32], address: Address) {
        let address = try #require(Address(path: path))
        let listener = try Binding.unix(path, count: 1).files[0]
        listen(listener, 0)
        var waiting: [Int32] = []
        for _ in 0..<4 {
            let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            // Sound: the kernel copies the address.
            _ = unsafe address.withSockaddr { unsafe Glibc.connect(file, $0, $1) }
            waiting.append(file)
        }
        return (listener, waiting, address)
    }

    @Test func `a full queue of a UNIX socket is waited for, until the deadline`() async throws {
        let folder = TemporaryFolder()
        let (listener, waiting, address) = try fullQueue(folder.path + "/full.sock")
        defer { for file in waiting + [listener] { Glibc.close(file) } }
        let silent = await connect(to: [address], within: .milliseconds(150), delay: .seconds(1))
        #expect(throws: StreamError.timedOut) { try silent.get() }
        let late = await withTaskGroup(of: Result<Duration, StreamError>?.self) { group in
            group.addTask {
                await connect(to: [address], within: .seconds(30), delay: .seconds(1))
            }
            group.addTask {
                usleep(100_000)
                // Room again.
                Glibc.close(accept(listener, nil, nil))
                return nil
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
        let took = try #require(late).get()
        #expect(took >= .milliseconds(90))
        #expect(took < .seconds(10))
    }

    @Test func `a UNIX socket that is not there, is stale or is a plain file refuses`() async throws
    {
        let folder = TemporaryFolder()
        let stale = try Binding.unix(folder.path + "/stale.sock", count: 1)
        for file in stale.files { Glibc.close(file) }
        // Sound: the kernel reads the path as a C string.
        Glibc.close(unsafe creat(folder.path + "/plain", 0o600))
        for name in ["none.sock", "stale.sock", "plain"] {
            let address = try #require(Address(path: folder.path + "/" + name))
            let result = await connect(to: [address], within: .seconds(30), delay: .seconds(1))
            #expect(throws: StreamError.refused) { try result.get() }
        }
    }
}
