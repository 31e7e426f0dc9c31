import CLinux
public import GatehouseBase
import Glibc

/// Connects to the first address that answers: the next one is tried when one fails or, beside
/// it, when it has been silent for `Limits.addressDelay` (RFC 8305, simplified: one at a time).
public enum Connector {
    /// - Parameter deadline: for all addresses together.
    public static func connect(
        to addresses: [Address], core: LoopCore, deadline: Instant, addressDelay: Duration
    ) async throws(StreamError) -> Socket {
        var failure = StreamError.refused
        for (index, address) in addresses.enumerated() {
            let isLast = index == addresses.count - 1
            // The last address gets all the time that is left, the others a fair share of it.
            let limit = isLast ? deadline : min(deadline, Instant.now() + addressDelay * 4)
            do throws(StreamError) {
                return try await connect(to: address, core: core, deadline: limit)
            } catch {
                failure = error
            }
            if Instant.now() >= deadline { throw .timedOut }
        }
        throw failure
    }

    private static func connect(
        to address: Address, core: LoopCore, deadline: Instant
    ) async throws(StreamError) -> Socket {
        let file = socket(address.family, gh_SOCK_STREAM_FLAGS, 0)
        guard file >= 0 else { throw .system(gh_errno()) }
        // Sound: the kernel copies the address.
        let result = unsafe address.withSockaddr { unsafe Glibc.connect(file, $0, $1) }
        let code = gh_errno()
        guard result == 0 || code == EINPROGRESS else {
            close(file)
            throw code == ECONNREFUSED || code == ENOENT ? .refused : .system(code)
        }
        let socket = Socket(Descriptor(file), core: core)
        if address.family != AF_UNIX { socket.setStreamOptions() }
        guard result != 0 else { return socket }
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
