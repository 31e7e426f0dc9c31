import CLinux
public import GatehouseBase
import Glibc

/// Connects to the first address that answers: the next one is tried when one fails or, beside
/// it, when all before have been silent for `Limits.addressDelay` (RFC 8305 §5).
public enum Connector {
    /// - Parameters:
    ///   - deadline: for all addresses together.
    ///   - abandonment: of whoever waits; this then throws `aborted`.
    public static func connect(
        to addresses: [Address], core: LoopCore, deadline: Instant, addressDelay: Duration,
        abandonment: Abandonment? = nil
    ) async throws(StreamError) -> Socket {
        defer { abandonment?.onAbandon = nil }
        if addresses.count == 1 {
            if addresses[0].family == AF_UNIX {
                return try await connectUnix(addresses[0], core, deadline, abandonment)
            }
            let socket = try begin(addresses[0], core)
            abandonment?.onAbandon = { socket.abort() }
            return try await finish(socket, deadline)
        }
        let race = Race()
        abandonment?.onAbandon = { race.abandon() }
        for address in addresses {
            race.start(address, core, deadline)
            let timer = LoopTimer { race.news.raise() }
            core.set(timer, to: .now() + addressDelay)
            await race.news.wait()
            core.cancel(timer)
            if race.winner != nil || race.isAbandoned || Instant.now() >= deadline { break }
        }
        while race.winner == nil, !race.running.isEmpty { await race.news.wait() }
        for loser in race.running { loser.abort() }
        guard let winner = race.winner else { throw race.failure }
        return winner
    }

    /// Attempts to reach one server by several of its addresses.
    private final class Race {
        var running: [Socket] = []
        var winner: Socket?
        var failure = StreamError.refused
        private(set) var isAbandoned = false
        /// Raised when an attempt has ended.
        let news = Signal()

        func start(_ address: Address, _ core: LoopCore, _ deadline: Instant) {
            let socket: Socket
            do throws(StreamError) {
                socket = try begin(address, core)
            } catch {
                failure = error
                return news.raise()
            }
            running.append(socket)
            core.fork {
                let result = await self.attempt(socket, deadline)
                self.running.removeAll { $0 === socket }
                switch result {
                case .success where self.winner == nil: self.winner = socket
                case .success: socket.close()
                case .failure(let error): self.failure = error
                }
                self.news.raise()
            }
        }

        func abandon() {
            isAbandoned = true
            for socket in running { socket.abort() }
            news.raise()
        }

        private func attempt(
            _ socket: Socket, _ deadline: Instant
        ) async -> Result<Void, StreamError> {
            do throws(StreamError) {
                _ = try await finish(socket, deadline)
                return .success(())
            } catch { return .failure(error) }
        }
    }

    /// Connects to a UNIX socket. That is done at once or, where the queue of the server is full,
    /// not at all: the kernel tells nobody when there is room again, so it is asked again.
    private static func connectUnix(
        _ address: Address, _ core: LoopCore, _ deadline: Instant, _ abandonment: Abandonment?
    ) async throws(StreamError) -> Socket {
        var pause = Duration.milliseconds(1)
        while true {
            do throws(StreamError) {
                return try begin(address, core)
            } catch {
                guard error == .system(EAGAIN) else { throw error }
            }
            let now = Instant.now()
            guard now < deadline else { throw .timedOut }
            guard abandonment?.isAbandoned != true else { throw .aborted }
            await EventLoop.sleep(min(pause, deadline.since(now)), on: core)
            pause = min(pause * 2, .milliseconds(50))
        }
    }

    /// A socket that is connecting.
    private static func begin(
        _ address: Address, _ core: LoopCore
    ) throws(StreamError) -> Socket {
        let file = socket(address.family, gh_SOCK_STREAM_FLAGS, 0)
        guard file >= 0 else { throw .system(gh_errno()) }
        // Sound: the kernel copies the address.
        let result = unsafe address.withSockaddr { unsafe Glibc.connect(file, $0, $1) }
        let code = gh_errno()
        guard result == 0 || code == EINPROGRESS else {
            close(file)
            throw code == ECONNREFUSED || code == ENOENT ? .refused : .system(code)
        }
        let socket = Socket(Descriptor(file), core: core, isConnecting: result != 0)
        if address.family != AF_UNIX { socket.setStreamOptions() }
        return socket
    }

    /// Waits until it is connected; closes it if that fails.
    private static func finish(
        _ socket: Socket, _ deadline: Instant
    ) async throws(StreamError) -> Socket {
        socket.writeDeadline = deadline
        do throws(StreamError) {
            try await socket.waitConnected()
        } catch {
            socket.close()
            throw error
        }
        socket.writeDeadline = .never
        return socket
    }
}
