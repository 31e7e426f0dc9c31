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
    private func connect(
        to addresses: [Address], within time: Duration, delay: Duration
    ) async -> Result<Duration, StreamError> {
        let loop = EventLoop(name: "test")
        defer { loop.thread.stop() }
        return await loop.run { loop in
            let began = Instant.now()
            do throws(StreamError) {
                try await Connector.connect(
                    to: addresses, core: loop.core, deadline: .now() + time, addressDelay: delay
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
}
